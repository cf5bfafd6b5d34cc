"""QoS profiles by name, and subscriptions that say so when a publisher does not match."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)
from rclpy.subscription import Subscription

from mav_perception.errors import ConfigurationError
from mav_perception.parameters import parameter

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ModuleNotFoundError:  # ROS 2 Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

RELIABILITY = {
    'sensor_data': ReliabilityPolicy.BEST_EFFORT,
    'reliable': ReliabilityPolicy.RELIABLE,
}


def qos_parameter(default: str, topics: str, read_only: bool = False) -> Any:
    """Declare a parameter that chooses the QoS of topics."""
    text = f'QoS of {topics}: {" or ".join(RELIABILITY)}'
    return parameter(default, text, read_only=read_only, choices=tuple(RELIABILITY))


def qos_profile(name: str, depth: int, latched: bool = False) -> QoSProfile:
    """Return a keep-last profile: 'sensor_data' (best effort) or 'reliable'.

    If it is `latched`, transient local, who comes late hears the last messages.

    Raises:
        ConfigurationError: another name.
    """
    if name not in RELIABILITY:
        raise ConfigurationError(f'Unknown QoS {name!r}: use one of {", ".join(RELIABILITY)}.')
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=RELIABILITY[name],
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def subscribe(
    node: Node,
    message_type: type,
    topic: str,
    callback: Callable[[Any], None],
    profile: QoSProfile,
    on_mismatch: Callable[[str], None],
) -> Subscription:
    """Subscribe, and call `on_mismatch` with a sentence when a publisher's QoS is incompatible."""

    def incompatible(event: Any) -> None:
        policy = qos_policy_name_from_kind(event.last_policy_kind)
        on_mismatch(
            f'A publisher on {node.resolve_topic_name(topic)} offers a QoS that this subscription '
            f'cannot use ({policy}): no message will arrive from it. Set the *_qos parameter of '
            'this node to sensor_data, or make the publisher reliable.'
        )

    return node.create_subscription(
        message_type,
        topic,
        callback,
        profile,
        event_callbacks=SubscriptionEventCallbacks(incompatible_qos=incompatible),
    )
