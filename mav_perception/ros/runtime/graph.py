"""What the running nodes offer one another, seen from outside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy

from mav_perception.topics import (
    CAMERA_INFO,
    DIAGNOSTICS,
    IMAGE,
    MASK,
    ODOMETRY,
    RELATIVE_MEASUREMENTS,
)

CHAIN = (IMAGE, CAMERA_INFO, MASK, RELATIVE_MEASUREMENTS, ODOMETRY)
"""Topics that must have both a publisher and a subscriber."""

Line = tuple[str, str, str]


def look_at_graph(listen: float) -> list[Line]:
    """Listen for some seconds; return lines of level, finding and cure."""
    started_here = not rclpy.ok()
    if started_here:
        rclpy.init()
    node = Node('doctor')
    statuses: dict[str, DiagnosticStatus] = {}

    def remember(message: DiagnosticArray) -> None:
        statuses.update({status.name: status for status in message.status})

    try:
        node.create_subscription(DiagnosticArray, DIAGNOSTICS, remember, 50)
        deadline = time.monotonic() + listen
        while time.monotonic() < deadline:
            rclpy.spin_once(node, timeout_sec=0.1)
        lines = _topics(node)
        lines += [_status(status) for status in statuses.values()]
    finally:
        node.destroy_node()
        if started_here:
            rclpy.try_shutdown()
    return lines or [('note', 'no node of mav_perception is running', '')]


def _topics(node: Node) -> list[Line]:
    lines = []
    for topic, _ in sorted(node.get_topic_names_and_types()):
        if topic.endswith(tuple(f'/{name}' for name in CHAIN)):
            lines.append(_topic(node, topic))
    return lines


def _topic(node: Node, topic: str) -> Line:
    """Hold both sides of a topic against each other."""
    writers = node.get_publishers_info_by_topic(topic)
    readers = node.get_subscriptions_info_by_topic(topic)
    if not writers:
        return 'FAIL', f'{topic}: {_names(readers)} waits, nobody publishes', 'start or remap it'
    if not readers:
        return 'note', f'{topic}: {_names(writers)} publishes, nobody listens', ''
    best_effort = [
        w for w in writers if w.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    ]
    strict = [r for r in readers if r.qos_profile.reliability == ReliabilityPolicy.RELIABLE]
    if best_effort and strict:
        return (
            'FAIL',
            f'{topic}: {_names(best_effort)} is best effort, {_names(strict)} wants reliable',
            'set the *_qos parameter of the reader to sensor_data',
        )
    return 'ok', f'{topic}: {_names(writers)} to {_names(readers)}', ''


def _names(ends: Sequence[Any]) -> str:
    return ', '.join(f'{end.node_namespace.rstrip("/")}/{end.node_name}' for end in ends)


def _status(status: DiagnosticStatus) -> Line:
    if status.level == DiagnosticStatus.OK:
        return 'ok', f'{status.name}: {status.message}', ''
    level = 'FAIL' if status.level == DiagnosticStatus.ERROR else 'note'
    return level, f'{status.name}: {status.message}', ''
