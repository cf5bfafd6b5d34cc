"""Images of the camera: raw or compressed, one subscription, decoded where they are used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from mav_perception.ros.messages.conversions import compressed_to_array, image_to_array
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.topics import COMPRESSED, IMAGE
from mav_perception.types import ByteImage

AnyImage: TypeAlias = Image | CompressedImage

TRANSPORTS = ('raw', 'compressed')
"""As image_transport names them: compressed are jpeg and png, on the topic beside the raw one."""

RELIABLE_DEPTH = 4
"""Images that may wait where none may get lost."""


def listen_to_images(
    node: SelfActivatingNode, transport: str, qos: str, handle: Callable[[AnyImage], None]
) -> Subscription:
    """Subscribe to the newest image of the camera, or to all of them if the QoS is reliable.

    Args:
        node: whose remapping of the raw topic holds for the compressed one too.
        transport: one of `TRANSPORTS`.
        qos: name of the profile.
        handle: takes each message.
    """
    # Whoever wants the newest image has no use for one before it; reliable loses none.
    depth = RELIABLE_DEPTH if qos == 'reliable' else 1
    return node.listen(*image_topic(node, transport), handle, qos, depth)


def image_topic(node: Node, transport: str) -> tuple[type, str]:
    """Return type and topic of the images of a node's camera by one of `TRANSPORTS`."""
    topic = node.resolve_topic_name(IMAGE)
    return (CompressedImage, topic + COMPRESSED) if transport == 'compressed' else (Image, topic)


def pixels(message: AnyImage) -> ByteImage:
    """Return (H, W) grey or (H, W, 3) RGB, or raise InputError."""
    if isinstance(message, CompressedImage):
        return compressed_to_array(message)
    return image_to_array(message)
