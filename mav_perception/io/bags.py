"""Write and read ROS 2 bags with rosbags, without ROS: type definitions included."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from mav_perception.errors import DataError, OutputError
from mav_perception.types import seconds

FOR_EVER = QosTime(2_147_483_647, 4_294_967_295)
"""No deadline, as rosbag2 writes it."""


class BagWriter:
    """Appends serialized messages to a bag, or to one after the other of limited size.

    Attributes:
        folder: of the bag that is written to now: NAME, then NAME_1, NAME_2 ... Each is whole and
            begins with the last message of every latched topic, so that it plays on its own.
    """

    def __init__(self, folder: Path, overwrite: bool = False, split_bytes: int = 0) -> None:
        """Create the bag folder.

        Args:
            folder: of the first bag.
            overwrite: replace a bag that is there.
            split_bytes: of messages after which the next bag begins; 0 for one bag.

        Raises:
            DataError: it exists, or one of those that may follow it, and `overwrite` is off or
                it is not a bag.
        """
        self._types, self._first, self._overwrite = get_typestore(Stores.LATEST), folder, overwrite
        self._split_bytes, self._parts = split_bytes, 0
        if split_bytes:
            for left in sorted(folder.parent.glob(f'{glob.escape(folder.name)}_[0-9]*')):
                self._make_way(left)
        self._topics: dict[str, tuple[str, Qos]] = {}
        self._latched: dict[str, bytes] = {}
        self._open(folder)

    def _open(self, folder: Path) -> None:
        """Begin a bag with the topics so far."""
        self._make_way(folder)
        writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        with _errors_named(folder):
            writer.open()
        self.folder, self._writer, self._bytes = folder, writer, 0
        self._connections: dict[str, object] = {}
        for topic in self._topics:
            self._connect(topic)

    def _make_way(self, folder: Path) -> None:
        """Remove a bag that may be replaced."""
        if not folder.exists():
            return
        if not (self._overwrite and (folder / 'metadata.yaml').is_file()):
            raise DataError(f'{folder} exists: give another name.')
        shutil.rmtree(folder)

    def knows(self, message_type: str) -> bool:
        """Tell whether a message type such as 'nav_msgs/msg/Odometry' can be recorded."""
        return message_type in self._types.fielddefs

    def add_topic(self, topic: str, message_type: str, latched: bool, reliable: bool) -> None:
        """Add a topic with the QoS that its publishers offer."""
        qos = Qos(
            history=QosHistory.KEEP_LAST,
            depth=100,
            reliability=QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT,
            durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
            deadline=FOR_EVER,
            lifespan=FOR_EVER,
            liveliness=QosLiveliness.AUTOMATIC,
            liveliness_lease_duration=FOR_EVER,
            avoid_ros_namespace_conventions=False,
        )
        self._topics[topic] = message_type, qos
        self._connect(topic)

    def _connect(self, topic: str) -> None:
        message_type, qos = self._topics[topic]
        self._connections[topic] = self._writer.add_connection(
            topic, message_type, typestore=self._types, offered_qos_profiles=[qos]
        )

    def write(self, topic: str, data: bytes, received_ns: int) -> None:
        """Append one CDR-serialized message to a topic that was added.

        Raises:
            OutputError: the disk is full or gone.
            DataError: the next bag cannot begin; the message is in the one before then.
        """
        try:
            if self._split_bytes and self._bytes + len(data) > self._split_bytes and self._bytes:
                self._next_bag(received_ns)
        finally:
            self._append(topic, data, received_ns)
        if self._topics[topic][1].durability == QosDurability.TRANSIENT_LOCAL:
            self._latched[topic] = data

    def _next_bag(self, received_ns: int) -> None:
        """Open the next bag, then close this one and go on in the other."""
        folder, writer = self.folder, self._writer
        self._open(self._first.with_name(f'{self._first.name}_{self._parts + 1}'))
        self._parts += 1
        for topic, data in self._latched.items():
            self._append(topic, data, received_ns)
        with _errors_named(folder):
            writer.close()

    def _append(self, topic: str, data: bytes, received_ns: int) -> None:
        with _errors_named(self.folder):
            self._writer.write(self._connections[topic], received_ns, data)  # type: ignore[arg-type]
        self._bytes += len(data)

    def close(self) -> None:
        """Write the index; a bag that is not closed has none."""
        with _errors_named(self.folder):
            self._writer.close()


@contextmanager
def _errors_named(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f'Cannot write bag {folder}: {error.strerror or error}. Make room or choose another '
            'folder.'
        ) from error


def _is_latched(connection: Connection) -> bool:
    assert isinstance(connection.ext, ConnectionExtRosbag2)
    offered = connection.ext.offered_qos_profiles
    return any(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in offered)


@dataclass(frozen=True)
class BagMessage:
    """One serialized message and the time at which it was recorded."""

    topic: str
    received_ns: int
    data: bytes


class BagReader:
    """A ROS 2 bag of MCAP or SQLite files, made by us or by `ros2 bag`.

    Attributes:
        topics: message type of every topic.
        latched: topics that were offered transient local: who comes late hears the last message.
        counts: messages of every topic.
        begin_ns: time of the first message.
        duration: seconds.
    """

    def __init__(self, folder: Path) -> None:
        """Open a bag.

        Raises:
            DataError: it is no bag, or it was not closed.
        """
        self._folder = folder
        self._types = get_typestore(Stores.LATEST)
        try:
            self._reader = Reader(folder)
            self._reader.open()
            connections, topics = self._reader.connections, self._reader.topics
            self.topics = {c.topic: c.msgtype for c in connections}
            self.latched = {c.topic for c in connections if _is_latched(c)}
            self.counts = {name: int(info.msgcount) for name, info in topics.items()}
            self.begin_ns = int(self._reader.start_time)
            self.duration = seconds(int(self._reader.duration))
        except Exception as error:  # rosbags lets those of its parsers through
            with suppress(Exception):
                self._reader.close()
            raise DataError(
                f'{folder} is not a complete ROS 2 bag: {error}. A bag that was not closed is '
                'mended by `ros2 bag reindex`.'
            ) from error

    def messages(self, after_ns: int = 0) -> Iterator[BagMessage]:
        """Return the messages in order, from `after_ns` after the first one on.

        Raises:
            DataError: the bag is damaged there.
        """
        return self._messages(start=self.begin_ns + after_ns)

    def latched_before(self, after_ns: int) -> Iterator[BagMessage]:
        """Return the messages of latched topics up to `after_ns` after the first message.

        Who begins in the middle needs them: whoever listens then would have heard them. All of
        them, since several publishers may share a topic, such as /tf_static.
        """
        latched = [c for c in self._reader.connections if c.topic in self.latched]
        if not latched or not after_ns:
            return iter(())
        return self._messages(connections=latched, stop=self.begin_ns + after_ns)

    def _messages(self, **selection: Any) -> Iterator[BagMessage]:
        try:
            for connection, received, data in self._reader.messages(**selection):
                yield BagMessage(connection.topic, int(received), bytes(data))
        except Exception as error:  # rosbags lets those of its parsers through
            raise DataError(f'{self._folder} is damaged: {error!r}') from error

    def decoded(self, message: BagMessage) -> Any:
        """Return the fields of a message, without ROS.

        Raises:
            DataError: it is damaged, or of a type that nobody knows.
        """
        try:
            return self._types.deserialize_cdr(message.data, self.topics[message.topic])
        except Exception as error:
            raise DataError(
                f'{self._folder}: a message on {message.topic} is unreadable: {error!r}'
            ) from error

    def close(self) -> None:
        """Close the files."""
        self._reader.close()
