"""Image -> mask: the segmentation network as a lifecycle node on every drone."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

from mav_perception.errors import MavPerceptionError
from mav_perception.parameters import parameter
from mav_perception.ros.conversions import array_to_image, image_to_array
from mav_perception.ros.frame_worker import FrameWorker
from mav_perception.ros.lifecycle import SelfActivatingNode
from mav_perception.ros.names import CONFIDENCE, IMAGE, MASK
from mav_perception.ros.parameters import read_parameters
from mav_perception.ros.qos import qos_profile, subscribe
from mav_perception.ros.running import run_node
from mav_perception.segmentation.segmenter import Segmenter


@dataclass(frozen=True)
class SegmentationNodeParameters:
    """Parameters of segmentation_node."""

    model: str = parameter('sim', 'name of a shipped model, or path to an .onnx file')
    threads: int = parameter(1, 'CPU threads of the inference', 1, 64)
    image_qos: str = parameter('sensor_data', 'QoS of the image: sensor_data or reliable')
    mask_qos: str = parameter('reliable', 'QoS of the mask: sensor_data or reliable')
    autostart: bool = parameter(True, 'configure and activate at start')


class SegmentationNode(SelfActivatingNode):
    """Segment the newest image; mask and confidence carry the image's size, stamp and frame."""

    def __init__(self) -> None:
        """Declare parameters; the model is loaded and warmed up in configure."""
        super().__init__('segmentation_node', SegmentationNodeParameters)
        self._segmenter: Segmenter | None = None
        self._worker: FrameWorker[Image] | None = None
        self._subscription: Subscription | None = None

    def load(self) -> None:
        """Load the model and prepare the publishers."""
        self._settings = read_parameters(self, SegmentationNodeParameters)
        self.get_logger().info(f'loading model {self._settings.model} ...')
        self._segmenter = Segmenter.load(self._settings.model, self._settings.threads)
        self.get_logger().info(f'ready: {self._segmenter.description}')
        self.health.set('model', self._segmenter.description)
        profile = qos_profile(self._settings.mask_qos, 5)
        self._mask_publisher = self.create_lifecycle_publisher(Image, MASK, profile)
        self._confidence_publisher = self.create_lifecycle_publisher(Image, CONFIDENCE, profile)

    def start(self) -> None:
        """Subscribe with depth 1: the newest image wins."""
        self._worker = FrameWorker(self._segment)
        self._subscription = subscribe(
            self,
            Image,
            IMAGE,
            self._on_image,
            qos_profile(self._settings.image_qos, 1),
            lambda text: self.health.problem('qos', text),
        )
        self.health.watch(self._subscription, self._settings.image_qos)

    def halt(self) -> None:
        """Unsubscribe and let the frame in hand finish."""
        if self._subscription is not None:
            self.destroy_subscription(self._subscription)
            self._subscription = None
        if self._worker is not None:
            self._worker.stop()

    def unload(self) -> None:
        """Release the network."""
        self._segmenter = None
        self.destroy_lifecycle_publisher(self._mask_publisher)
        self.destroy_lifecycle_publisher(self._confidence_publisher)

    def _on_image(self, message: Image) -> None:
        assert self._worker is not None and self._subscription is not None
        self.health.saw(self._subscription)
        self.health.count('images')
        self._worker.offer(message)
        self.health.set('images dropped', self._worker.dropped)

    def _segment(self, message: Image) -> None:
        """Run in the worker thread: one image to one mask; a bad image is reported and skipped."""
        assert self._segmenter is not None
        begin = time.perf_counter()
        try:
            mask = self._segmenter.segment(image_to_array(message))
        except MavPerceptionError as error:
            self.health.problem('image', str(error))
            return
        except Exception as error:  # noqa: BLE001 - one frame must never end the thread
            self.health.problem('inference', f'Inference failed on one image: {error!r}')
            return
        # Confidence first: whoever waits for both has it when the mask arrives.
        self._confidence_publisher.publish(array_to_image(mask.confidence, message.header))
        self._mask_publisher.publish(array_to_image(mask.labels, message.header))
        self.health.count('masks')
        self.health.set('inference ms', f'{1e3 * (time.perf_counter() - begin):.1f}')


def main() -> int:
    """Run the node."""
    return run_node(SegmentationNode)


if __name__ == '__main__':
    sys.exit(main())
