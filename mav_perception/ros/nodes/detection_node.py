"""Mask, or boxes of any detector -> nameless relative measurements."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from sensor_msgs.msg import Image

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.errors import ConfigurationError, InputError
from mav_perception.parameters import parameter
from mav_perception.ros.messages.conversions import image_to_array
from mav_perception.ros.messages.qos import qos_parameter
from mav_perception.ros.messages.vision import WITHOUT_VISION, boxes_of, vision_msgs
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import read_parameters
from mav_perception.ros.stages.detection_stage import (
    DetectionStage,
    DetectionStageParameters,
    WithDetection,
)
from mav_perception.topics import BOXES, CONFIDENCE, MASK
from mav_perception.types import ByteImage, LabelMask


@dataclass(frozen=True)
class DetectionNodeParameters:
    """Parameters of detection_node besides those of the stage."""

    input: str = parameter(
        'mask',
        'mask, or boxes: vision_msgs/Detection2DArray of any detector on detection/boxes',
        choices=('mask', 'boxes'),
    )
    box_class: str = parameter('', 'class_id of drones among the boxes; empty for all boxes')
    mask_qos: str = qos_parameter('reliable', 'mask and confidence, or of boxes')
    use_confidence: bool = parameter(
        True, 'wait for the confidence image of a mask to score its blobs'
    )


class DetectionNode(WithDetection):
    """Publish one cloud for every mask; an empty cloud says 'looked, saw nobody'."""

    def __init__(self) -> None:
        """Declare parameters."""
        kinds = (DetectionParameters, DetectionStageParameters, DetectionNodeParameters)
        super().__init__('detection_node', *kinds)

    def load(self) -> None:
        """Prepare the stage."""
        self._settings = read_parameters(self, DetectionNodeParameters)
        if self._settings.input == 'boxes' and WITHOUT_VISION:
            raise ConfigurationError(
                f'input is boxes: {WITHOUT_VISION} Install ros-$ROS_DISTRO-vision-msgs.'
            )
        self.detection = DetectionStage(self)

    def start(self) -> None:
        """Subscribe to masks and to what else the parameters ask for."""
        self._confidence: Image | None = None
        self._waiting: Image | None = None
        qos = self._settings.mask_qos
        self.require_detection().begin()
        if self._settings.input == 'boxes':
            self.listen(vision_msgs.Detection2DArray, BOXES, self._on_boxes, qos, 5)
            return
        if self._settings.use_confidence:
            self.listen(Image, CONFIDENCE, self._on_confidence, qos, 5, watched=False)
        self.listen(Image, MASK, self._on_mask, qos, 5)

    def unload(self) -> None:
        """Release the stage."""
        self.detection = None

    def _on_boxes(self, message: Any) -> None:
        self.diagnostics.count('box messages')
        try:
            boxes = boxes_of(message, self._settings.box_class)
        except InputError as error:
            self.diagnostics.problem('boxes', str(error))
            return
        self.require_detection().measure_boxes(boxes, message.header)

    def _on_confidence(self, message: Image) -> None:
        self._confidence = message
        if self._waiting is not None and self._waiting.header.stamp == message.header.stamp:
            mask, self._waiting = self._waiting, None
            self._measure(mask)

    def _on_mask(self, message: Image) -> None:
        self.diagnostics.count('masks')
        if self._waiting is not None:
            # Its confidence never came: it is worth more without a score than not at all.
            late, self._waiting = self._waiting, None
            self.diagnostics.problem('confidence', 'A mask came without its confidence image.')
            self._measure(late)
        if self._settings.use_confidence and not self._has_confidence(message):
            self._waiting = message
            return
        self._measure(message)

    def _has_confidence(self, mask: Image) -> bool:
        return self._confidence is not None and self._confidence.header.stamp == mask.header.stamp

    def _measure(self, message: Image) -> None:
        try:
            mask = self._label_mask(message)
        except InputError as error:
            self.diagnostics.problem('mask', str(error))
            return
        self.require_detection().measure(mask, message.header)

    def _label_mask(self, message: Image) -> LabelMask:
        labels: ByteImage = image_to_array(message)
        if labels.ndim != 2:
            raise InputError(f'A mask must be mono8 class ids, got {message.encoding}.')
        if self._settings.use_confidence and self._has_confidence(message):
            assert self._confidence is not None
            return LabelMask(labels, image_to_array(self._confidence))
        return LabelMask.certain(labels)


def main() -> int:
    """Run the node."""
    return run_node(DetectionNode)


if __name__ == '__main__':
    sys.exit(main())
