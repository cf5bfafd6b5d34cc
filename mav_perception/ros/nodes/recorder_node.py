"""Records every topic as it appears into an MCAP bag, byte for byte."""

from __future__ import annotations

import importlib
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from mav_perception.errors import ConfigurationError, DataError, OutputError
from mav_perception.io.bags import BagWriter
from mav_perception.parameters import parameter
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters
from mav_perception.ros.runtime.timers import steady_timer


@dataclass(frozen=True)
class RecorderNodeParameters:
    """Parameters of recorder_node."""

    bag: str = parameter('', 'folder of the new bag', read_only=True)
    overwrite: bool = parameter(False, 'replace a bag that is there', read_only=True)
    images: bool = parameter(False, 'record images and masks too', read_only=True)
    split_size: int = parameter(
        0, 'begin another bag, NAME_1, after so many MB; 0 for one bag', 0, 10**6, read_only=True
    )
    exclude: str = parameter(
        '^/(parameter_events|rosout)$', 'regular expression of topics left out', read_only=True
    )


IMAGES = re.compile(
    'sensor_msgs/msg/(Compressed)?Image|theora_image_transport/msg/Packet|'
    'ffmpeg_image_transport_msgs/msg/FFMPEGPacket'
)
"""Types of messages that fill a disk."""


class RecorderNode(Node):
    """Subscribes to whatever is published, as it is offered, and writes it as it arrives."""

    def __init__(self) -> None:
        """Open the bag and look for topics five times a second."""
        super().__init__('recorder_node')
        declare_parameters(self, RecorderNodeParameters)
        parameters = read_parameters(self, RecorderNodeParameters)
        if not parameters.bag:
            raise ConfigurationError('Set the parameter `bag` to the folder of the new bag.')
        self.diagnostics = NodeDiagnostics(self)
        self._exclude = topic_pattern(parameters.exclude)
        self._images = parameters.images
        self._writer = BagWriter(
            Path(parameters.bag), parameters.overwrite, 1_000_000 * parameters.split_size
        )
        self._topics: set[str] = set()
        steady_timer(self, 0.2, self._discover)

    def close(self) -> None:
        """Write the index of the bag."""
        self._writer.close()

    def _discover(self) -> None:
        for topic, kinds in self.get_topic_names_and_types():
            if topic in self._topics or self._exclude.search(topic):
                continue
            if self._images or not IMAGES.fullmatch(kinds[0]):
                self._record(topic, kinds[0])
            else:
                self._topics.add(topic)
                self.get_logger().info(f'left out: {topic}, images (`images`, --images)')

    def _record(self, topic: str, kind: str) -> None:
        publishers = self.get_publishers_info_by_topic(topic)
        if not publishers:
            return  # somebody only listens: what will be offered is not known yet
        self._topics.add(topic)
        message = message_class(kind)
        if message is None or not self._writer.knows(kind):
            lacks = f'{kind} is not installed' if message is None else f'rosbags has no {kind}'
            self.diagnostics.problem(f'type of {topic}', f'{topic} is not recorded: {lacks}.')
            return

        def write(data: bytes) -> None:
            try:
                self._writer.write(topic, data, time.time_ns())
            except (OutputError, DataError) as error:
                self.diagnostics.problem('disk', str(error))
                return
            self.diagnostics.count('messages')

        offered = [p.qos_profile for p in publishers]
        reliable = all(qos.reliability == ReliabilityPolicy.RELIABLE for qos in offered)
        latched = all(qos.durability == DurabilityPolicy.TRANSIENT_LOCAL for qos in offered)
        self._writer.add_topic(topic, kind, latched, reliable)
        self.get_logger().info(f'recording {topic}, {kind}')
        profile = qos_profile('reliable' if reliable else 'sensor_data', 100, latched)
        self.create_subscription(message, topic, write, profile, raw=True)


def topic_pattern(exclude: str) -> re.Pattern[str]:
    """Return what finds the topics that are left out; an empty expression leaves out none.

    Raises:
        ConfigurationError: it is no regular expression.
    """
    try:
        return re.compile(exclude or '^$')
    except re.error as error:
        raise ConfigurationError(
            f'exclude is no regular expression, {exclude!r}: {error}. Topics below /mav1 are '
            '^/mav1/.'
        ) from error


def message_class(kind: str) -> Any:
    """Return the Python class of a type such as 'nav_msgs/msg/Odometry', None if not installed."""
    package, _, name = kind.split('/')
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError):
        return None


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode)


if __name__ == '__main__':
    sys.exit(main())
