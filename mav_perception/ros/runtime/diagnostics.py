"""What a node says of itself on /diagnostics: counts, values, problems and silent topics."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from mav_perception.ros.runtime.timers import steady_timer
from mav_perception.topics import (
    CAMERA_INFO,
    COMPRESSED,
    CONFIDENCE,
    DIAGNOSTICS,
    IMAGE,
    MASK,
    RELATIVE_MEASUREMENTS,
)

MADE_OF = {
    MASK: (IMAGE,),
    CONFIDENCE: (IMAGE,),
    RELATIVE_MEASUREMENTS: (IMAGE, CAMERA_INFO),
}
"""Topic -> the topics of the same namespace that it is made of."""

PERIOD = 1.0
LONGEST_PAUSE = 300.0
"""Seconds between two lines in the log on one problem that does not end."""

PROBLEM_LASTS = 5.0
"""A problem colours the status for so many seconds after it was last seen."""

SILENCE_LIMIT = 5.0
"""Seconds without a message after which a watched topic is reported."""


@dataclass
class Watched:
    """A subscription that should not fall silent, and when it last spoke (monotonic seconds)."""

    subscription: Subscription
    profile_name: str
    last: float


class NodeDiagnostics:
    """Collects counts, values and problems, and publishes one status every second."""

    def __init__(self, node: Node) -> None:
        """Publish for a node; time is the machine's, so it works while simulated time stands."""
        self._node = node
        self._counts: Counter[str] = Counter()
        self._last_counts: Counter[str] = Counter()
        self._values: dict[str, str] = {}
        self._problems: dict[str, tuple[float, str]] = {}
        self._logged: dict[str, tuple[float, float]] = {}
        self._lasting: str | None = None
        self._watched: list[Watched] = []
        self._last_report, self._clock_ns = time.monotonic(), 0
        # Workers report too; reentrant, because `fail` reports at once.
        self._lock = threading.RLock()
        self._publisher = node.create_publisher(DiagnosticArray, DIAGNOSTICS, 10)
        self._timer = steady_timer(node, PERIOD, self.report)

    def count(self, key: str, number: int = 1) -> None:
        """Add to a counter; its rate is reported too."""
        with self._lock:
            self._counts[key] += number

    def set(self, key: str, value: object) -> None:
        """Set a value that is reported as text."""
        with self._lock:
            self._values[key] = str(value)

    def problem(self, code: str, text: str) -> None:
        """Report a passing problem: count it, show it for a while, log it at times."""
        now = time.monotonic()
        with self._lock:
            self._counts[f'problem: {code}'] += 1
            self._problems[code] = (now, text)
            fresh = self._is_worth_a_line(code, now)
        if fresh:
            self._node.get_logger().warning(text)

    def _is_worth_a_line(self, code: str, now: float) -> bool:
        """Tell whether to log a problem: at once, and ever more seldom while it goes on."""
        logged, pause = self._logged.get(code, (-np.inf, 0.0))
        if now - logged < pause:
            return False
        # After a rest that is much longer than the pause it is news again.
        lasts = now - logged < 2.0 * pause + PROBLEM_LASTS
        self._logged[code] = now, min(2.0 * pause, LONGEST_PAUSE) if lasts else PROBLEM_LASTS
        return True

    def fail(self, text: str) -> None:
        """Report an error that lasts until `recover`."""
        self._lasting = text
        self._node.get_logger().error(text)
        self.report()

    def recover(self) -> None:
        """Clear a lasting error."""
        self._lasting = None

    def watch(self, subscription: Subscription, profile_name: str) -> None:
        """Report the topic when no message has come for a while, from now on."""
        self._watched.append(Watched(subscription, profile_name, time.monotonic()))

    def saw(self, subscription: Subscription) -> None:
        """Note that a watched topic has spoken."""
        for item in self._watched:
            if item.subscription is subscription:
                item.last = time.monotonic()

    def forget_topics(self) -> None:
        """Stop watching all topics."""
        self._watched.clear()

    def report(self) -> None:
        """Publish the status."""
        with self._lock:
            message = DiagnosticArray(status=[self._status(time.monotonic())])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _status(self, now: float) -> DiagnosticStatus:
        stamp_ns = self._node.get_clock().now().nanoseconds
        stands, self._clock_ns = stamp_ns == self._clock_ns, stamp_ns
        for item in self._watched:
            if stands and self._clock_ns:  # the simulation or the bag has ended, or rests
                item.last = now
            elif now - item.last > SILENCE_LIMIT:
                self.problem(f'silent {item.subscription.topic_name}', self._explain_silence(item))
        recent = [text for at, text in self._problems.values() if now - at < PROBLEM_LASTS]
        status = DiagnosticStatus(name=self._node.get_fully_qualified_name().lstrip('/'))
        status.hardware_id = self._node.get_namespace().strip('/')
        if self._lasting is not None:
            status.level, status.message = DiagnosticStatus.ERROR, self._lasting
        elif recent:
            status.level, status.message = DiagnosticStatus.WARN, ' | '.join(recent)
        else:
            status.level, status.message = DiagnosticStatus.OK, 'ok'
        elapsed = max(now - self._last_report, 1e-3)
        for key, total in self._counts.items():
            rate = (total - self._last_counts[key]) / elapsed
            status.values += [
                KeyValue(key=key, value=str(total)),
                KeyValue(key=f'{key} per second', value=f'{rate:.2f}'),
            ]
        status.values += [KeyValue(key=k, value=v) for k, v in self._values.items()]
        self._last_counts, self._last_report = self._counts.copy(), now
        return status

    def _explain_silence(self, item: Watched) -> str:
        """Name the topic, both sides and the fix."""
        topic = item.subscription.topic_name
        publishers = self._node.get_publishers_info_by_topic(topic)
        text = f'No message on {topic} for over {SILENCE_LIMIT:.0f} s: '
        if not publishers:
            other = (topic + COMPRESSED).removesuffix(2 * COMPRESSED)
            if self._node.count_publishers(other):
                transport = 'compressed' if other.endswith(COMPRESSED) else 'raw'
                return text + f'but {other} is there. Set image_transport to {transport}.'
            return text + 'nobody publishes it. Start its publisher or remap the topic.'
        names = ', '.join(f'{p.node_namespace.rstrip("/")}/{p.node_name}' for p in publishers)
        if item.profile_name == 'reliable' and any(
            p.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for p in publishers
        ):
            return text + (
                f'{names} publishes best effort, this node wants reliable. Set its *_qos '
                'parameter to sensor_data.'
            )
        if missing := self._missing_before(topic):
            return text + f'{names} waits for {missing}, which nobody publishes.'
        text += f'{names} announces it but sends nothing that arrives.'
        if item.subscription.msg_type in (Image, CompressedImage):
            text += ' Large images need config/fastdds_shm.xml on both sides.'
        return text

    def _missing_before(self, topic: str) -> str | None:
        """Return the first topic on the way to another that has no publisher, None if all have."""
        makers = _nodes(self._node.get_publishers_info_by_topic(topic))
        for made, needed in MADE_OF.items():
            if not topic.endswith(f'/{made}'):
                continue
            space, count = topic.removesuffix(made), self._node.count_publishers
            for name in (space + n for n in needed):
                waiting = makers & _nodes(self._node.get_subscriptions_info_by_topic(name))
                if waiting and not count(name) and not count(name + COMPRESSED):
                    return name
        return None


def _nodes(ends: Sequence[Any]) -> set[tuple[str, str]]:
    """Return the nodes at the ends of a topic."""
    return {(end.node_namespace, end.node_name) for end in ends}
