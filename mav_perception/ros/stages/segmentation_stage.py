"""Image -> mask, with what is published of it: mask and confidence while somebody listens.

With `inspect` the mask is also painted into the image, and the area share of every class is told.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sensor_msgs.msg import Image
from std_msgs.msg import Float32MultiArray, Header, MultiArrayDimension

from mav_perception.errors import MavPerceptionError
from mav_perception.parameters import parameter
from mav_perception.ros.messages.conversions import array_to_image
from mav_perception.ros.messages.qos import qos_parameter, qos_profile
from mav_perception.ros.messages.vision import WITHOUT_VISION, label_info
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.ros.runtime.parameters import read_parameters
from mav_perception.ros.stages.image_source import TRANSPORTS, AnyImage, pixels
from mav_perception.segmentation.backends import BACKENDS, DEVICES
from mav_perception.segmentation.inspection import area_shares
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.topics import AREA_SHARES, CONFIDENCE, LABEL_INFO, MASK, OVERLAY
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
    image_transport: str = parameter(
        'raw',
        'raw, or compressed: jpeg and png on camera/image_raw/compressed',
        choices=TRANSPORTS,
    )
    image_qos: str = qos_parameter('sensor_data', 'the image')
    mask_qos: str = qos_parameter('reliable', 'the mask')


class SegmentationStage:
    """The network of one camera and the publishers of its masks."""

    def __init__(self, node: SelfActivatingNode) -> None:
        """Load the model and advertise.

        Raises:
            MavPerceptionError: the model or a parameter does not fit.
        """
        self._diagnostics = node.diagnostics
        self.settings = settings = read_parameters(node, SegmentationNodeParameters)
        node.get_logger().info(f'loading model {settings.model} ...')
        self.segmenter = Segmenter.load(
            settings.model, settings.threads, settings.backend, settings.device
        )
        node.get_logger().info(f'ready: {self.segmenter.description}')
        self._diagnostics.set('model', self.segmenter.description)
        profile = qos_profile(settings.mask_qos, 5)
        self._masks = node.advertise(Image, MASK, profile)
        self._confidences = node.advertise(Image, CONFIDENCE, profile)
        if not WITHOUT_VISION:
            card = self.segmenter.card
            node.say_once(label_info(card.label_space, card.min_score), LABEL_INFO)
        if settings.inspect:
            self._overlays = node.advertise(Image, OVERLAY, profile)
            self._shares = node.advertise(Float32MultiArray, AREA_SHARES, 10)

    def begin(self) -> None:
        """Forget the images so far: the next one follows none."""
        self.segmenter.reset()

    def segment(self, message: AnyImage) -> tuple[ByteImage, LabelMask] | None:
        """Return an image and its mask, None for a bad image, which is reported."""
        begin = time.perf_counter()
        try:
            image = pixels(message)
            mask = self.segmenter.segment(image)
        except MavPerceptionError as error:
            self._diagnostics.problem('image', str(error))
            return None
        except Exception as error:  # noqa: BLE001 - one frame must never end the thread
            self._diagnostics.problem('inference', f'Inference failed on one image: {error!r}')
            return None
        self._diagnostics.count('masks')
        self._diagnostics.set('inference ms', f'{1e3 * (time.perf_counter() - begin):.1f}')
        return image, mask

    def publish(self, image: ByteImage, mask: LabelMask, header: Header) -> None:
        """Publish what somebody listens to, and what an inspection is for."""
        # Confidence first: whoever waits for both has it when the mask arrives.
        if self._confidences.get_subscription_count():
            self._confidences.publish(array_to_image(mask.confidence, header))
        if self._masks.get_subscription_count():
            self._masks.publish(array_to_image(mask.labels, header))
        if self.settings.inspect:
            self._report_areas(image, mask, header)

    def _report_areas(self, image: ByteImage, mask: LabelMask, header: Header) -> None:
        """Publish the overlay, if anybody looks at it, and the area shares."""
        space = self.segmenter.card.label_space
        shares = area_shares(mask.labels, space)
        report = Float32MultiArray(data=[float(share) for share in shares])
        names = MultiArrayDimension(label=' '.join(space.names), size=space.size, stride=1)
        report.layout.dim = [names]
        self._shares.publish(report)
        for name, share in zip(space.names, shares, strict=True):
            self._diagnostics.set(f'area share of {name}', f'{share:.4f}')
        if self._overlays.get_subscription_count():
            self._overlays.publish(array_to_image(space.overlay(image, mask.labels), header))
