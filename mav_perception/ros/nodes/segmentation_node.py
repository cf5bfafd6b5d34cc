"""Image -> mask: the segmentation network as a lifecycle node on every drone.

With `inspect` it also paints the mask into the image and tells the area share of every class.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from rclpy.subscription import Subscription
from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray, MultiArrayDimension

from mav_perception.errors import MavPerceptionError
from mav_perception.parameters import parameter
from mav_perception.ros.messages.conversions import array_to_image, image_to_array
from mav_perception.ros.messages.qos import qos_parameter, qos_profile, subscribe
from mav_perception.ros.runtime.frame_worker import FrameWorker
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import read_parameters
from mav_perception.segmentation.backends import BACKENDS, DEVICES
from mav_perception.segmentation.inspection import area_shares
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.topics import AREA_SHARES, CONFIDENCE, IMAGE, MASK, OVERLAY
from mav_perception.types import ByteImage, LabelMask


@dataclass(frozen=True)
class SegmentationNodeParameters:
    """Parameters of segmentation_node."""

    model: str = parameter('sim', 'name of a shipped model, or path to an .onnx file')
    threads: int = parameter(1, 'CPU threads of the inference', 1, 64)
    backend: str = parameter(
        'auto', 'auto, onnxruntime, openvino or torch', choices=('auto', *BACKENDS)
    )
    device: str = parameter(
        'auto', 'where the network runs: auto, cpu, cuda or tensorrt', choices=DEVICES
    )
    inspect: bool = parameter(False, 'also publish the overlay and the area share of each class')
    image_qos: str = qos_parameter('sensor_data', 'the image')
    mask_qos: str = qos_parameter('reliable', 'the mask')
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
        self._segmenter = Segmenter.load(
            self._settings.model,
            self._settings.threads,
            self._settings.backend,
            self._settings.device,
        )
        self.get_logger().info(f'ready: {self._segmenter.description}')
        self.diagnostics.set('model', self._segmenter.description)
        profile = qos_profile(self._settings.mask_qos, 5)
        self._mask_publisher = self.create_lifecycle_publisher(Image, MASK, profile)
        self._confidence_publisher = self.create_lifecycle_publisher(Image, CONFIDENCE, profile)
        self._overlay_publisher = self._shares_publisher = None
        if self._settings.inspect:
            self._overlay_publisher = self.create_lifecycle_publisher(Image, OVERLAY, profile)
            self._shares_publisher = self.create_lifecycle_publisher(
                Float32MultiArray, AREA_SHARES, 10
            )

    def start(self) -> None:
        """Subscribe with depth 1: the newest image wins."""
        if self._segmenter is not None:
            self._segmenter.reset()
        self._worker = FrameWorker(self._segment)
        self._subscription = subscribe(
            self,
            Image,
            IMAGE,
            self._on_image,
            qos_profile(self._settings.image_qos, 1),
            lambda text: self.diagnostics.problem('qos', text),
        )
        self.diagnostics.watch(self._subscription, self._settings.image_qos)

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
        for publisher in (
            self._mask_publisher,
            self._confidence_publisher,
            self._overlay_publisher,
            self._shares_publisher,
        ):
            if publisher is not None:
                self.destroy_lifecycle_publisher(publisher)

    def alive(self) -> bool:
        """Tell whether the inference gets on."""
        limit = self.watchdog.limit / 2.0  # slow inference is no hang
        return self._worker is None or self._worker.busy_for() < limit

    def _on_image(self, message: Image) -> None:
        assert self._worker is not None and self._subscription is not None
        self.diagnostics.saw(self._subscription)
        self.diagnostics.count('images')
        self._worker.offer(message)
        self.diagnostics.set('images dropped', self._worker.dropped)

    def _segment(self, message: Image) -> None:
        """Run in the worker thread: one image to one mask; a bad image is reported and skipped."""
        assert self._segmenter is not None
        begin = time.perf_counter()
        try:
            image = image_to_array(message)
            mask = self._segmenter.segment(image)
        except MavPerceptionError as error:
            self.diagnostics.problem('image', str(error))
            return
        except Exception as error:  # noqa: BLE001 - one frame must never end the thread
            self.diagnostics.problem('inference', f'Inference failed on one image: {error!r}')
            return
        # Confidence first: whoever waits for both has it when the mask arrives.
        self._confidence_publisher.publish(array_to_image(mask.confidence, message.header))
        self._mask_publisher.publish(array_to_image(mask.labels, message.header))
        if self._settings.inspect:
            self._report_areas(image, mask, message)
        self.diagnostics.count('masks')
        self.diagnostics.set('inference ms', f'{1e3 * (time.perf_counter() - begin):.1f}')

    def _report_areas(self, image: ByteImage, mask: LabelMask, message: Image) -> None:
        """Publish the overlay, if anybody looks at it, and the area shares."""
        assert self._segmenter is not None
        assert self._overlay_publisher is not None and self._shares_publisher is not None
        space = self._segmenter.card.label_space
        shares = area_shares(mask.labels, space)
        report = Float32MultiArray(data=[float(share) for share in shares])
        names = MultiArrayDimension(label=' '.join(space.names), size=space.size, stride=1)
        report.layout.dim = [names]
        self._shares_publisher.publish(report)
        for name, share in zip(space.names, shares, strict=True):
            self.diagnostics.set(f'area share of {name}', f'{share:.4f}')
        if self._overlay_publisher.get_subscription_count():
            overlay = space.overlay(image, mask.labels)
            self._overlay_publisher.publish(array_to_image(overlay, message.header))


def main() -> int:
    """Run the node."""
    return run_node(SegmentationNode)


if __name__ == '__main__':
    sys.exit(main())
