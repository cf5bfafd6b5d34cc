"""Paints masks into images for people to look at, off the path from image to pose.

It reads images only while somebody looks at the result, and never holds anybody up: whatever it
cannot take is dropped.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import Image

from mav_perception.errors import MavPerceptionError
from mav_perception.io.messages import stamp_to_ns
from mav_perception.parameters import parameter
from mav_perception.ros.messages.conversions import array_to_image, image_to_array
from mav_perception.ros.messages.qos import qos_parameter, qos_profile, subscribe
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters
from mav_perception.ros.runtime.timers import steady_timer
from mav_perception.ros.stages.image_source import (
    TRANSPORTS,
    AnyImage,
    image_topic,
    pixels,
)
from mav_perception.segmentation.labels import LABEL_SPACES, label_space
from mav_perception.topics import MASK, OVERLAY

KEPT = 10
"""Images that wait for their masks."""


@dataclass(frozen=True)
class OverlayNodeParameters:
    """Parameters of overlay_node."""

    labels: str = parameter(
        'drone', 'label space of the masks', read_only=True, choices=tuple(LABEL_SPACES)
    )
    opacity: float = parameter(0.5, 'of the colour of a class', 0.0, 1.0, read_only=True)
    image_transport: str = parameter(
        'raw', 'raw, or compressed', read_only=True, choices=TRANSPORTS
    )
    image_qos: str = qos_parameter('sensor_data', 'the image', read_only=True)
    mask_qos: str = qos_parameter('reliable', 'the mask', read_only=True)


class OverlayNode(Node):
    """Publish an overlay for every mask, while anybody listens."""

    def __init__(self) -> None:
        """Advertise, and look twice a second whether anybody listens."""
        super().__init__('overlay_node')
        declare_parameters(self, OverlayNodeParameters)
        self._settings = read_parameters(self, OverlayNodeParameters)
        self.diagnostics = NodeDiagnostics(self)
        self._space = label_space(self._settings.labels)
        self._images: dict[int, AnyImage] = {}
        self._heard: list[Subscription] = []
        self._publisher = self.create_publisher(Image, OVERLAY, 2)
        steady_timer(self, 0.5, self._look_for_viewers)

    def _look_for_viewers(self) -> None:
        wanted = self._publisher.get_subscription_count() > 0
        if wanted and not self._heard:
            settings = self._settings
            images = image_topic(self, settings.image_transport)
            self._heard = [
                self._listen(*images, self._on_image, settings.image_qos),
                self._listen(Image, MASK, self._on_mask, settings.mask_qos),
            ]
        elif not wanted:
            for subscription in self._heard:
                self.destroy_subscription(subscription)
            self._heard = []
            self._images.clear()
        self.diagnostics.set('viewers', self._publisher.get_subscription_count())

    def _listen(self, kind: type, topic: str, callback: Any, qos: str) -> Subscription:
        def mismatch(text: str) -> None:
            self.diagnostics.problem('qos', text)

        return subscribe(self, kind, topic, callback, qos_profile(qos, 2), mismatch)

    def _on_image(self, message: AnyImage) -> None:
        self._images[stamp_to_ns(message.header.stamp)] = message
        while len(self._images) > KEPT:
            del self._images[next(iter(self._images))]  # by arrival: time may jump back

    def _on_mask(self, message: Image) -> None:
        image = self._images.pop(stamp_to_ns(message.header.stamp), None)
        if image is None:
            self.diagnostics.count('masks without their image')
            return
        try:
            picture, labels = pixels(image), image_to_array(message)
            if labels.ndim != 2 or labels.shape != picture.shape[:2]:
                self.diagnostics.problem(
                    'size', f'The mask is {labels.shape}, its image {picture.shape}: not painted.'
                )
                return
        except MavPerceptionError as error:
            self.diagnostics.problem('image', str(error))
            return
        overlay = self._space.overlay(picture, labels, self._settings.opacity)
        self._publisher.publish(array_to_image(overlay, message.header))
        self.diagnostics.count('overlays')


def main() -> int:
    """Run the node."""
    return run_node(OverlayNode)


if __name__ == '__main__':
    sys.exit(main())
