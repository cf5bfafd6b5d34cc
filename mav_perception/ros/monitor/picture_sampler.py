"""Takes a camera image now and then, with its mask and associations, for the report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, Image

from mav_perception.errors import MavPerceptionError
from mav_perception.evaluation.flight.camera_pictures import camera_picture
from mav_perception.evaluation.flight.flight_associations import AssociatedFrame
from mav_perception.evaluation.report.run_record import Picture
from mav_perception.io.messages import stamp_to_ns
from mav_perception.ros.messages.conversions import camera_from_info, image_to_array
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.segmentation.labels import LABEL_SPACES
from mav_perception.types import seconds

MOST = 8
"""Pictures in a report."""

FIRST_PAUSE = 4.0
"""Seconds between pictures at first; twice as many whenever there are too many."""

PATIENCE = 6.0
"""Seconds that a camera has for one picture."""

MOST_IMAGES, MOST_FRAMES = 8, 200
"""Messages that are kept of the camera: images are large, associations come later."""

Message = TypeVar('Message')


def keep_newest(where: dict[int, Message], stamp: int, message: Message, most: int) -> None:
    """Put a message into a dict by stamp, and the oldest ones out."""
    where[stamp] = message
    while len(where) > most:
        del where[min(where)]


@dataclass(frozen=True)
class SampledCamera:
    """Topics of a camera: image and camera_info are full names, `masks` is that of the mask."""

    drone: int
    name: str
    image: str
    info: str
    masks: str


@dataclass
class _Sample:
    """What has come for a picture, by stamp."""

    camera: SampledCamera
    since: float
    subscriptions: list[Subscription] = field(default_factory=list)
    images: dict[int, Image] = field(default_factory=dict)
    masks: dict[int, Image] = field(default_factory=dict)
    info: CameraInfo | None = None


class PictureSampler:
    """Subscribes to one camera at a time, and only until it has a picture: images are large."""

    def __init__(self, node: Node, cameras: Sequence[SampledCamera], names: Sequence[str]) -> None:
        """Begin with no picture; `names` are those of the team."""
        self._node, self._cameras, self._names = node, list(cameras), names
        self._taken: list[tuple[int, Picture]] = []
        self._frames: dict[int, AssociatedFrame] = {}
        self._sample: _Sample | None = None
        self._turn, self._pause, self._due = 0, FIRST_PAUSE, time.monotonic() + 1.0

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Return the pictures by time."""
        return tuple(picture for _, picture in sorted(self._taken, key=lambda pair: pair[0]))

    def on_frame(self, frame: AssociatedFrame) -> None:
        """Note for whom the sightings of a frame were taken, if its camera has its turn."""
        turn = None if self._sample is None else self._sample.camera
        if turn is not None and (turn.drone, turn.name) == (frame.observer, frame.mount.name):
            keep_newest(self._frames, frame.stamp_ns, frame, MOST_FRAMES)

    def poll(self, begin_ns: int) -> None:
        """Go on: begin, take or give up a picture; `begin_ns` is when the flight began."""
        now = time.monotonic()
        if self._sample is None:
            if now >= self._due and self._cameras:
                self._begin(now)
        elif self._take(self._sample, begin_ns) or now - self._sample.since > PATIENCE:
            self._end(now)

    def _begin(self, now: float) -> None:
        camera = self._cameras[self._turn % len(self._cameras)]
        self._turn += 1
        sample = self._sample = _Sample(camera, now)

        def keep(where: dict[int, Image]) -> Any:
            return lambda m: keep_newest(where, stamp_to_ns(m.header.stamp), m, MOST_IMAGES)

        profile = qos_profile('sensor_data', 1)
        listen = self._node.create_subscription
        sample.subscriptions = [
            listen(CameraInfo, camera.info, lambda info: setattr(sample, 'info', info), profile),
            listen(Image, camera.masks, keep(sample.masks), profile),
            listen(Image, camera.image, keep(sample.images), profile),
        ]

    def _end(self, now: float) -> None:
        assert self._sample is not None
        for subscription in self._sample.subscriptions:
            self._node.destroy_subscription(subscription)
        self._sample = None
        self._frames.clear()
        if len(self._taken) > MOST:
            del self._taken[1::2]
            self._pause *= 2.0
        self._due = now + self._pause

    def _take(self, sample: _Sample, begin_ns: int) -> bool:
        """Make a picture of the first image that has all it needs; tell whether there is one."""
        late = time.monotonic() - sample.since > PATIENCE - 1.5  # then without a mask
        if sample.info is None:
            return False
        for stamp in sorted(sample.images if late else sample.images.keys() & sample.masks.keys()):
            frame = self._frames.get(stamp)
            if frame is not None:
                self._draw(sample, stamp, frame, begin_ns)
                return True
        return False

    def _draw(self, sample: _Sample, stamp: int, frame: AssociatedFrame, begin_ns: int) -> None:
        camera, mask, image = sample.camera, sample.masks.get(stamp), sample.images[stamp]
        if mask is not None and (mask.height, mask.width) != (image.height, image.width):
            mask = None  # of another detector, at its own size
        name = f'{self._names[camera.drone]} {camera.name}'.strip()
        try:
            picture = camera_picture(
                image_to_array(image),
                None if mask is None else image_to_array(mask),
                LABEL_SPACES['drone'],
                camera_from_info(sample.info),
                frame,
                self._names,
                f'{name} at {seconds(stamp - begin_ns):.1f} s',
            )
        except MavPerceptionError as error:
            self._node.get_logger().info(f'No picture of {name}: {error}')
            return
        self._taken.append((stamp, picture))
