"""Plays a bag into ROS 2, with /clock: at any speed, from any second, again and again."""

from __future__ import annotations

import re
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock as ClockMessage

from mav_perception.errors import ConfigurationError
from mav_perception.io.bags import BagMessage, BagReader
from mav_perception.parameters import parameter
from mav_perception.ros.messages.conversions import ns_to_stamp
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.ros.messages.transforms import TF
from mav_perception.ros.nodes.recorder_node import message_class, topic_pattern
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters
from mav_perception.ros.runtime.timers import steady_timer
from mav_perception.topics import ASSOCIATIONS, CLOCK, DIAGNOSTICS, MAP_FRAME, MARKERS, POSE
from mav_perception.types import nanoseconds, seconds

LOCALIZATION_OUTPUTS = re.compile(f'/({POSE}|{ASSOCIATIONS})$|{MARKERS}$')
OUR_NODE = re.compile(
    '(^|/)(camera|segmentation|detection|localization|simulation|monitor|recorder|player|pilot|'
    'overlay|doctor)_node$'
)

SETTLED, LONGEST_WAIT = 1.0, 15.0
"""Seconds without a new subscriber after which the bag begins, and after which it does anyway."""

CLOCK_PERIOD = 0.02
"""Seconds of the bag between two messages on /clock, where the bag has none of its own."""


@dataclass(frozen=True)
class PlayerNodeParameters:
    """Parameters of player_node."""

    bag: str = parameter('', 'folder of the bag', read_only=True)
    rate: float = parameter(1.0, 'seconds of the bag in a second', 0.01, 1000.0)
    position: float = parameter(
        0.0, 'where to begin; set in flight it jumps there, back too [s]', 0.0, 1e9
    )
    loop: bool = parameter(False, 'begin again at the end')
    exclude: str = parameter('', 'regular expression of topics left out', read_only=True)
    inputs_only: bool = parameter(
        False, 'leave out what localization makes, to localize anew', read_only=True
    )
    wait: float = parameter(
        2.0, 'time for subscribers to be found before the first message [s]', 0.0, 600.0, True
    )


class PlayerNode(Node):
    """Publishes the messages of a bag byte for byte, in a thread of its own."""

    def __init__(self) -> None:
        """Open the bag, advertise its topics and begin."""
        super().__init__('player_node')
        declare_parameters(self, PlayerNodeParameters)
        self._settings = read_parameters(self, PlayerNodeParameters)
        if not self._settings.bag:
            raise ConfigurationError('Set the parameter `bag` to the folder of the bag.')
        self.diagnostics = NodeDiagnostics(self)
        self._reader = BagReader(Path(self._settings.bag))
        self._outputs = self._advertise()
        self._own_clock: Publisher[Any] | None = None
        if CLOCK not in self._reader.topics:
            self._own_clock = self.create_publisher(ClockMessage, CLOCK, 10)
        self._seek: float | None = None
        self.add_on_set_parameters_callback(self._retune)
        self._stopping = threading.Event()
        self._exit_code: int | None = None
        self._thread = threading.Thread(target=self._run, name='player')
        self._thread.start()
        steady_timer(self, 0.2, self._end_when_finished)

    def close(self) -> None:
        """Stop playing."""
        self._stopping.set()
        self._thread.join(timeout=5.0)
        self._reader.close()

    def _advertise(self) -> dict[str, Publisher[Any]]:
        exclude = topic_pattern(self._settings.exclude)
        publishers = {}
        for topic, kind in self._reader.topics.items():
            own = self._settings.inputs_only and LOCALIZATION_OUTPUTS.search(topic)
            if own or exclude.search(topic):
                continue
            message = message_class(kind)
            if message is None:
                self.diagnostics.problem(
                    f'type of {topic}', f'{topic} is left out: {kind} is not installed.'
                )
                continue
            profile = qos_profile('reliable', 100, topic in self._reader.latched)
            publishers[topic] = self.create_publisher(message, topic, profile)
        return publishers

    def _retune(self, changes: list[Parameter]) -> SetParametersResult:
        for change in changes:
            if change.name == 'position':
                self._seek = float(change.value)
            elif change.name == 'rate':
                self._rate = float(change.value)
        return SetParametersResult(successful=True)

    def _run(self) -> None:
        self._rate = self._settings.rate
        start: float | None = self._settings.position
        self._wait_for_subscribers()
        try:
            while start is not None and not self._stopping.is_set():
                start = self._play(start)
                if start is None and self.get_parameter('loop').value:
                    start = 0.0
            self._exit_code = 0
        except Exception as error:  # noqa: BLE001 - the thread must not die unheard
            self.diagnostics.fail(f'The bag cannot be played on: {error}')
            self._exit_code = 1

    def _wait_for_subscribers(self) -> None:
        """Wait as long as was asked for, and on while more subscribers are found."""
        if not self._settings.wait or self._stopping.wait(self._settings.wait):
            return
        found, deadline = -1, time.monotonic() + LONGEST_WAIT
        while found != (now := self._subscriber_count()) and time.monotonic() < deadline:
            found = now
            if self._stopping.wait(SETTLED):
                return

    def _subscriber_count(self) -> int:
        return sum(output.get_subscription_count() for output in self._outputs.values())

    def _play(self, start: float) -> float | None:
        """Play from a second on; return where to go on after a seek, None at the end."""
        for message in self._reader.latched_before(nanoseconds(start)):
            self._publish(message)
        shown, wall, last = start, time.monotonic(), -1.0
        for message in self._reader.messages(nanoseconds(start)):
            # Another rate holds from here on: what was played is played.
            now = time.monotonic()
            shown, wall = shown + (now - wall) * self._rate, now
            at = seconds(message.received_ns - self._reader.begin_ns)
            while at > shown and self._seek is None:
                if self._stopping.wait(min(0.1, (at - shown) / self._rate)):
                    return None
                now = time.monotonic()
                shown, wall = shown + (now - wall) * self._rate, now
            if self._seek is not None:
                start, self._seek = self._seek, None
                return start
            if self._own_clock is not None and at - last >= CLOCK_PERIOD:
                last = at
                self._own_clock.publish(ClockMessage(clock=ns_to_stamp(message.received_ns)))
            self._publish(message)
            self.diagnostics.set('position', f'{at:.1f} of {self._reader.duration:.1f} s')
        return None

    def _publish(self, message: BagMessage) -> None:
        publisher = self._outputs.get(message.topic)
        ours = self._settings.inputs_only and self._is_ours(message)
        if publisher is not None and not ours:
            publisher.publish(message.data)
            self.diagnostics.count('messages')

    def _is_ours(self, message: BagMessage) -> bool:
        """Tell whether localization published a message on a topic that it shares with others."""
        if message.topic == DIAGNOSTICS:
            names = [status.name for status in self._reader.decoded(message).status]
            return all(OUR_NODE.search(name) for name in names)
        if message.topic == TF:
            transforms = self._reader.decoded(message).transforms
            return all(item.header.frame_id == MAP_FRAME for item in transforms)
        return False

    def _end_when_finished(self) -> None:
        if self._exit_code is not None:
            self.get_logger().info('the bag is over')
            raise SystemExit(self._exit_code)


def main() -> int:
    """Run the node."""
    return run_node(PlayerNode)


if __name__ == '__main__':
    sys.exit(main())
