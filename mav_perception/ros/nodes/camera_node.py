"""Image -> mask -> nameless relative measurements, in one process on every drone.

The same topics as of segmentation_node and detection_node, and no image is copied between them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from rclpy.parameter import Parameter

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.parameters import parameter
from mav_perception.ros.nodes.segmentation_node import SegmentationNode
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import read_parameters
from mav_perception.ros.stages.detection_stage import DetectionStage, DetectionStageParameters
from mav_perception.ros.stages.image_source import AnyImage
from mav_perception.types import LabelMask


@dataclass(frozen=True)
class ConfidenceParameters:
    """Whether the score of a sighting is the confidence of the network."""

    use_confidence: bool = parameter(True, 'score blobs by the confidence of the network')


class CameraNode(SegmentationNode):
    """Segment the newest image and measure the drones in it."""

    def __init__(self) -> None:
        """Declare the parameters of both stages."""
        kinds = (DetectionParameters, DetectionStageParameters, ConfidenceParameters)
        super().__init__('camera_node', kinds)
        self.detection: DetectionStage | None = None

    def load(self) -> None:
        """Prepare both stages."""
        super().load()
        self.detection = DetectionStage(self)
        self._scored = read_parameters(self, ConfidenceParameters).use_confidence

    def start(self) -> None:
        """Subscribe to the calibration, then to the images."""
        self._require_detection().begin()
        super().start()

    def unload(self) -> None:
        """Release both stages."""
        super().unload()
        self.detection = None

    def retune(self, changes: list[Parameter]) -> None:
        """Take new detection parameters; the rest is read at configure."""
        others = DetectionStage.not_retunable(changes)
        if others:
            super().retune(others)
        self._require_detection().retune(changes)

    def use_image(self, message: AnyImage) -> None:
        """Run in the worker thread: measurements first, somebody waits for them."""
        stage = self._require_segmentation()
        segmented = stage.segment(message)
        if segmented is None:
            return
        image, mask = segmented
        counted = mask
        if not self._scored:
            counted = LabelMask(mask.labels, np.full_like(mask.labels, 255))
        self._require_detection().measure(counted, message.header)
        stage.publish(image, mask, message.header)

    def _require_detection(self) -> DetectionStage:
        assert self.detection is not None
        return self.detection


def main() -> int:
    """Run the node."""
    return run_node(CameraNode)


if __name__ == '__main__':
    sys.exit(main())
