"""Image -> mask: the segmentation network as a lifecycle node, where detection runs elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from mav_perception.ros.runtime.frame_worker import FrameWorker
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.stages.image_source import AnyImage, listen_to_images
from mav_perception.ros.stages.segmentation_stage import (
    SegmentationNodeParameters,
    SegmentationStage,
)


class SegmentationNode(SelfActivatingNode):
    """Segment the newest image; mask and confidence carry the image's size, stamp and frame."""

    def __init__(self, name: str = 'segmentation_node', kinds: tuple[type, ...] = ()) -> None:
        """Declare parameters; the model is loaded and warmed up in configure."""
        super().__init__(name, SegmentationNodeParameters, *kinds)
        self.segmentation: SegmentationStage | None = None
        self._worker: FrameWorker[AnyImage] | None = None

    def load(self) -> None:
        """Load the model and prepare the publishers."""
        self.segmentation = SegmentationStage(self)

    def start(self) -> None:
        """Subscribe with depth 1: the newest image wins."""
        stage = self._require_segmentation()
        stage.begin()
        self._worker = FrameWorker(self.use_image)
        listen_to_images(
            self, stage.settings.image_transport, stage.settings.image_qos, self._on_image
        )

    def halt(self) -> None:
        """Let the frame in hand finish."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def unload(self) -> None:
        """Release the network."""
        self.segmentation = None

    def alive(self) -> bool:
        """Tell whether the inference gets on."""
        limit = self.watchdog.limit / 2.0  # slow inference is no hang
        return self._worker is None or self._worker.busy_for() < limit

    def use_image(self, message: AnyImage) -> None:
        """Run in the worker thread: one image to one mask."""
        stage = self._require_segmentation()
        segmented = stage.segment(message)
        if segmented is not None:
            stage.publish(*segmented, message.header)

    def _on_image(self, message: Any) -> None:
        worker = self._worker
        if worker is None:
            return
        self.diagnostics.count('images')
        worker.offer(message)
        self.diagnostics.set('images dropped', worker.dropped)

    def _require_segmentation(self) -> SegmentationStage:
        assert self.segmentation is not None
        return self.segmentation


def main() -> int:
    """Run the node."""
    return run_node(SegmentationNode)


if __name__ == '__main__':
    sys.exit(main())
