"""Image -> mask -> nameless relative measurements, in one process on every drone.

The same topics as of segmentation_node and detection_node, and no image is copied between them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.errors import ConfigurationError
from mav_perception.io.yaml_files import read_yaml
from mav_perception.parameters import parameter
from mav_perception.ros.nodes.segmentation_node import SegmentationNode
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import read_parameters
from mav_perception.ros.stages.detection_stage import (
    DetectionStage,
    DetectionStageParameters,
    WithDetection,
)
from mav_perception.ros.stages.image_source import AnyImage
from mav_perception.types import LabelMask


@dataclass(frozen=True)
class CameraNodeParameters:
    """Parameters of camera_node besides those of its stages; others share its files."""

    use_confidence: bool = parameter(True, 'score blobs by the confidence of the network')
    input: str = parameter('mask', 'mask; boxes of other detectors are for detection_node')
    box_class: str = parameter('', 'not used here: it is of detection_node')


class CameraNode(WithDetection, SegmentationNode):
    """Segment the newest image and measure the drones in it."""

    def __init__(self) -> None:
        """Declare the parameters of both stages."""
        kinds = (DetectionParameters, DetectionStageParameters, CameraNodeParameters)
        super().__init__('camera_node', kinds)

    def load(self) -> None:
        """Prepare both stages."""
        settings = read_parameters(self, CameraNodeParameters)
        if settings.input != 'mask':
            raise ConfigurationError(
                f'input is {settings.input}, which is for detection_node: give boxes:=true.'
            )
        self._warn_of_other_names()
        super().load()
        self.detection = DetectionStage(self)
        self._scored = settings.use_confidence

    def start(self) -> None:
        """Subscribe to the calibration, then to the images."""
        self.require_detection().begin()
        super().start()

    def unload(self) -> None:
        """Release both stages."""
        super().unload()
        self.detection = None

    def use_image(self, message: AnyImage) -> None:
        """Run in the worker thread: measurements first, somebody waits for them."""
        stage = self._require_segmentation()
        segmented = stage.segment(message)
        if segmented is None:
            return
        image, mask = segmented
        counted = mask
        if not self._scored:
            counted = LabelMask.certain(mask.labels)
        self.require_detection().measure(counted, message.header)
        stage.publish(image, mask, message.header)

    def _warn_of_other_names(self) -> None:
        """Say so if a parameter file names the nodes that this one stands for, and not this."""
        for option, file in pairwise(sys.argv):
            if option == '--params-file' and Path(file).is_file():
                names = ' '.join(map(str, read_yaml(Path(file), 'parameter file') or ()))
                others = [n for n in ('detection_node', 'segmentation_node') if n in names]
                if others and 'camera_node' not in names:
                    self.diagnostics.problem(
                        'parameter file',
                        f'{file} names {others[0]}: that is not for camera_node, which does its '
                        'work here. Name camera_node too, or launch with separate_nodes:=true.',
                    )


def main() -> int:
    """Run the node."""
    return run_node(CameraNode)


if __name__ == '__main__':
    sys.exit(main())
