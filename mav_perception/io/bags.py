"""Write ROS 2 bags with rosbags, without ROS: MCAP, type definitions included."""

from __future__ import annotations

import shutil
from pathlib import Path

from rosbags.rosbag2 import Reader, ReaderError, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from mav_perception.errors import DataError


class BagWriter:
    """Appends serialized messages to a bag."""

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        """Create the bag folder.

        Raises:
            DataError: it exists, and `overwrite` is off or it is not a bag.
        """
        if folder.exists():
            if not (overwrite and (folder / 'metadata.yaml').is_file()):
                raise DataError(f'{folder} exists: remove it or record to another name.')
            shutil.rmtree(folder)
        self._types = get_typestore(Stores.LATEST)
        self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        self._connections: dict[str, object] = {}

    def knows(self, message_type: str) -> bool:
        """Tell whether a message type such as 'nav_msgs/msg/Odometry' can be recorded."""
        return message_type in self._types.fielddefs

    def write(self, topic: str, message_type: str, data: bytes, received_ns: int) -> None:
        """Append one CDR-serialized message."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(
                topic, message_type, typestore=self._types
            )
        self._writer.write(self._connections[topic], received_ns, data)  # type: ignore[arg-type]

    def close(self) -> None:
        """Write the index; a bag that is not closed has none."""
        self._writer.close()


def read_topics(folder: Path) -> dict[str, int]:
    """Return how many messages a bag has of every topic.

    Raises:
        DataError: it is no bag, or it was not closed.
    """
    try:
        with Reader(folder) as reader:
            return {name: int(info.msgcount) for name, info in reader.topics.items()}
    except (ReaderError, OSError) as error:
        raise DataError(f'{folder} is not a complete ROS 2 bag: {error}') from error
