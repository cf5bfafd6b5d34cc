"""A bag with true poses as a recording: to play filters over a flight of one's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mav_perception.errors import DataError, InputError
from mav_perception.geometry import roll_pitch_yaw
from mav_perception.io.bags import BagReader
from mav_perception.io.messages import (
    cloud_to_sightings,
    odometry_to_sample,
    pose_from_message,
    stamp_to_ns,
)
from mav_perception.localization.team.team_file import DroneEntry, load_team, team_from_entries
from mav_perception.recordings.recording import LabelledFrame, PosePath, Recording
from mav_perception.recordings.truth_association import from_camera, identify
from mav_perception.topics import (
    GROUND_TRUTH,
    RELATIVE_MEASUREMENTS,
    in_namespace,
)
from mav_perception.types import FloatArray, OdometrySample, Sightings, nanoseconds


def load_bag(
    folder: Path, team_file: Path, remap: Mapping[str, str] | None = None, begin: float = 0.0
) -> Recording:
    """Read odometry, relative measurements and, if they are there, true poses of a team.

    A sighting is labelled with the drone whose true direction it has, for scores and for the
    filter that is told the identities.

    Args:
        folder: of the bag.
        team_file: `team.yaml`: whose topics, and which start the filter is told.
        remap: topics of the bag -> the names that the team has for them.
        begin: seconds of the bag that are left out.

    Raises:
        ConfigurationError: the team file is wrong.
        DataError: no bag, one that is shorter than what is left out of it, a topic of a drone
            that is missing, or no time for which all is known.
    """
    entries = load_team(team_file)
    reader = _BagOfTeam(entries)
    bag = BagReader(folder)
    for topic, kind in bag.topics.items():
        reader.check_type((remap or {}).get(topic, topic), kind)
    if begin >= bag.duration:
        raise DataError(f'{folder} has {bag.duration:.1f} s: begin before {begin:g} s.')
    for message in bag.messages(nanoseconds(begin)):
        topic = (remap or {}).get(message.topic, message.topic)
        reader.add(topic, partial(bag.decoded, message))
    bag.close()
    reader.check(folder)
    truth, tilts = reader.true_paths()
    odometry, frames = reader.odometry_by_time(), reader.frames_by_time()
    paths = truth if all(len(path.stamps) for path in truth) else ()
    spans = [(int(path.stamps[0]), int(path.stamps[-1])) for path in paths]
    spans = spans or [(samples[0].stamp_ns, samples[-1].stamp_ns) for samples in odometry]
    begin_ns, end_ns = max(first for first, _ in spans), min(last for _, last in spans)
    if begin_ns >= end_ns:
        what = 'true poses' if paths else 'odometry'
        raise DataError(f'{folder}: there is no time for which the {what} of all drones is known.')
    return Recording(
        team=team_from_entries(entries),
        odometry=odometry,
        frames=tuple(reader.labelled(frame, paths, tilts) for frame in frames),
        truth=paths or tuple(PosePath(path.stamps[:0], path.poses[:0]) for path in truth),
        begin_ns=begin_ns,
        end_ns=end_ns,
        notices=tuple(f'{number} x {text}' for text, number in reader.refused.items()),
    )


class _BagOfTeam:
    """Messages of the drones of a team as they come out of a bag."""

    def __init__(self, entries: tuple[DroneEntry, ...]) -> None:
        self._entries = entries
        self._odometry: list[list[OdometrySample]] = [[] for _ in entries]
        self._truth: list[list[tuple[int, FloatArray, FloatArray]]] = [[] for _ in entries]
        self._frames: list[Sightings] = []
        self.refused: Counter[str] = Counter()
        self._readers: dict[str, Callable[[Any], None]] = {}
        self._types: dict[str, str] = {}
        for drone, entry in enumerate(entries):
            odometry = in_namespace(entry.namespace, entry.odometry)
            self._read(odometry, 'nav_msgs/msg/Odometry', partial(self._sample, drone=drone))
            truth = in_namespace(entry.namespace, GROUND_TRUTH)
            self._read(truth, 'geometry_msgs/msg/PoseStamped', partial(self._pose, drone=drone))
            for camera in entry.cameras:
                topic = in_namespace(entry.camera_namespace(camera), RELATIVE_MEASUREMENTS)
                reader = partial(self._sightings, drone=drone, camera=camera.name)
                self._read(topic, 'sensor_msgs/msg/PointCloud2', reader)

    def _read(self, topic: str, kind: str, reader: Callable[[Any], None]) -> None:
        self._readers[topic], self._types[topic] = reader, kind

    def add(self, topic: str, decoded: Callable[[], Any]) -> None:
        """Read a message; those of other topics are not even decoded."""
        if topic in self._readers:
            try:
                self._readers[topic](decoded())
            except InputError as error:
                self.refused[f'{topic}: {error}'] += 1

    def check_type(self, topic: str, kind: str) -> None:
        """Raise DataError if a topic of the team is of another type than it has to be."""
        wanted = self._types.get(topic, kind)
        if kind != wanted:
            raise DataError(
                f'{topic} of the bag is {kind}, it must be {wanted}: convert it, or correct the '
                'team file or --remap.'
            )

    def check(self, folder: Path) -> None:
        """Raise DataError if anything of a drone is missing."""
        for drone, entry in enumerate(self._entries):
            if not self._odometry[drone]:
                topic = in_namespace(entry.namespace, entry.odometry)
                raise DataError(
                    f'{folder} has nothing on {topic}: record it, correct the namespace in the '
                    'team file, or give --remap.'
                )
        if not self._frames:
            raise DataError(
                f'{folder} has no {RELATIVE_MEASUREMENTS} of the team: record them too. Of a bag '
                'of images they are made by camera_node: play it into ROS 2 without --team.'
            )

    def true_paths(self) -> tuple[tuple[PosePath, ...], tuple[PosePath, ...]]:
        """Return the true paths of all drones, and those of roll and pitch (K, 2)."""
        paths, tilts = [], []
        for rows in self._truth:
            rows.sort(key=lambda row: row[0])
            stamps = np.array([stamp for stamp, _, _ in rows], np.int64)
            poses = np.array([pose for _, pose, _ in rows]).reshape(-1, 4)
            poses[:, 3] = np.unwrap(poses[:, 3])
            paths.append(PosePath(stamps, poses))
            tilts.append(PosePath(stamps, np.array([tilt for _, _, tilt in rows]).reshape(-1, 2)))
        return tuple(paths), tuple(tilts)

    def frames_by_time(self) -> list[Sightings]:
        """Return the frames of all cameras by their stamps; what came twice counts once."""
        first = {(f.stamp_ns, f.observer, f.camera): f for f in reversed(self._frames)}
        return [first[key] for key in sorted(first)]

    def odometry_by_time(self) -> tuple[tuple[OdometrySample, ...], ...]:
        """Return the odometry of every drone by its stamps; what came twice counts once."""
        first = [{s.stamp_ns: s for s in reversed(samples)} for samples in self._odometry]
        return tuple(tuple(by_stamp[key] for key in sorted(by_stamp)) for by_stamp in first)

    def labelled(
        self, frame: Sightings, truth: tuple[PosePath, ...], tilts: tuple[PosePath, ...]
    ) -> LabelledFrame:
        """Return a frame with the drone that each sighting shows, -1 for a false one.

        Where nobody knows the true path, of the observer or of all, it is -1.
        """
        if not truth:
            return LabelledFrame(frame, np.full(len(frame), -1))
        names = [entry.name for entry in self._entries]
        observer = names.index(frame.observer)
        (camera,) = (c for c in self._entries[observer].cameras if c.name == frame.camera)
        stamp = np.array([frame.stamp_ns])
        poses = np.array([path.known_at(stamp)[0] for path in truth])
        known = np.isfinite(poses).all(axis=1)
        if not known[observer]:
            return LabelledFrame(frame, np.full(len(frame), -1))
        known[observer] = False
        others = np.flatnonzero(known)
        angles = np.append(tilts[observer].at(stamp)[0], poses[observer, 3])
        targets = from_camera(poses[others, :3], poses[observer, :3], angles, camera.mount())
        return LabelledFrame(frame, identify(frame.positions, targets, others))

    def _sample(self, message: Any, drone: int) -> None:
        self._odometry[drone].append(odometry_to_sample(message))

    def _pose(self, message: Any, drone: int) -> None:
        pose, q = pose_from_message(message.pose), message.pose.orientation
        tilt = roll_pitch_yaw(np.array([q.x, q.y, q.z, q.w]))[:2]
        self._truth[drone].append((stamp_to_ns(message.header.stamp), pose, np.array(tilt)))

    def _sightings(self, message: Any, drone: int, camera: str) -> None:
        frame = cloud_to_sightings(message, self._entries[drone].name)
        self._frames.append(replace(frame, camera=camera))
