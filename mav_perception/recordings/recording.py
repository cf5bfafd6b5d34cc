"""A recorded or simulated flight: what every filter is played over."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.geometry import interpolate, roll_pitch_yaw
from mav_perception.localization.team.team import Team
from mav_perception.types import (
    NANOSECONDS,
    FloatArray,
    IntArray,
    OdometrySample,
    Sightings,
    nanoseconds,
)

LONGEST_GAP_NS = nanoseconds(0.5)
"""Between samples of the truth that are farther apart, nobody knows it."""

UNIX_BEGIN_NS = 1_800_000_000 * NANOSECONDS
"""When recordings begin that have no time of day of their own: robots have Unix stamps."""


@dataclass(frozen=True)
class PosePath:
    """A 4-DoF path: `stamps` (K,) nanoseconds ascending, `poses` (K, 4) with unwrapped yaw."""

    stamps: IntArray
    poses: FloatArray

    def at(self, stamps: IntArray) -> FloatArray:
        """Return (M, 4) poses at stamps, linearly interpolated, held at the ends; NaN if empty."""
        if not len(self.stamps):
            return np.full((len(stamps), self.poses.shape[1]), np.nan)
        return interpolate(stamps, self.stamps, self.poses)

    def known_at(self, stamps: IntArray) -> FloatArray:
        """Return (M, 4) poses at stamps, NaN outside of the path and in gaps over `LONGEST_GAP`.

        For truth: a motion capture loses a body for seconds, and nobody knows where it was.
        """
        poses = self.at(stamps)
        if len(self.stamps):
            after = np.searchsorted(self.stamps, stamps)
            following = self.stamps[np.minimum(after, len(self.stamps) - 1)]
            before = self.stamps[np.maximum(after - 1, 0)]
            inside = (after > 0) & (after < len(self.stamps))
            near = inside & (following - before <= LONGEST_GAP_NS)
            poses[~(near | (following == stamps))] = np.nan
        return poses


@dataclass(frozen=True)
class LabelledFrame:
    """Sightings of one frame, and the drone index of each or -1: for baselines and scores."""

    sightings: Sightings
    labels: IntArray


@dataclass(frozen=True)
class Recording:
    """Everything that happened in a run.

    Attributes:
        team: who, and the start that the filter is told.
        odometry: VIO samples of every drone.
        frames: camera frames of all drones by time.
        truth: true path of every drone in map.
        begin_ns, end_ns: span over which errors count.
        notices: what was left out when it was read, in words.
    """

    team: Team
    odometry: tuple[tuple[OdometrySample, ...], ...]
    frames: tuple[LabelledFrame, ...]
    truth: tuple[PosePath, ...]
    begin_ns: int
    end_ns: int
    notices: tuple[str, ...] = ()

    @property
    def has_truth(self) -> bool:
        """Tell whether the true path of every drone is known."""
        return all(len(path.stamps) for path in self.truth)

    def shifted(self, offset_ns: int) -> Recording:
        """Return the same recording at another time of day."""
        return self._restamped(1, offset_ns)

    def backwards(self) -> Recording:
        """Return the same with time running back: real noise, and meetings in another order."""
        return self._restamped(-1, self.begin_ns + self.end_ns).since(self.begin_ns)

    def _restamped(self, direction: int, offset_ns: int) -> Recording:
        """Return the same at stamps direction * t + offset; the direction is 1 or -1."""

        def moved(stamp_ns: int) -> int:
            return direction * stamp_ns + offset_ns

        def restamped(frame: LabelledFrame) -> LabelledFrame:
            seen = replace(frame.sightings, stamp_ns=moved(frame.sightings.stamp_ns))
            return replace(frame, sightings=seen)

        begin_ns, end_ns = sorted((moved(self.begin_ns), moved(self.end_ns)))
        return replace(
            self,
            odometry=tuple(
                tuple(replace(s, stamp_ns=moved(s.stamp_ns)) for s in samples[::direction])
                for samples in self.odometry
            ),
            frames=tuple(restamped(frame) for frame in self.frames[::direction]),
            truth=tuple(
                PosePath(direction * path.stamps[::direction] + offset_ns, path.poses[::direction])
                for path in self.truth
            ),
            begin_ns=begin_ns,
            end_ns=end_ns,
        )

    def of_drones(self, drones: tuple[int, ...]) -> Recording:
        """Return the same with some of the drones, by index: as if the others were not there."""
        team, chosen = self.team, list(drones)
        labels = {drone: index for index, drone in enumerate(chosen)} | {-1: -1}
        names = {team.names[drone] for drone in chosen}

        def of_chosen(frame: LabelledFrame) -> LabelledFrame:
            kept = np.flatnonzero(np.isin(frame.labels, list(labels)))
            mine = np.array([labels[label] for label in frame.labels[kept].tolist()], np.int64)
            return LabelledFrame(frame.sightings.subset(kept), mine)

        return replace(
            self,
            team=Team(
                names=tuple(team.names[drone] for drone in chosen),
                start=team.start[chosen],
                start_sigma=team.start_sigma[chosen],
                mounts=tuple(team.mounts[drone] for drone in chosen),
                start_at_origin=tuple(np.array(team.start_at_origin)[chosen].tolist())
                if team.start_at_origin
                else (),
            ),
            odometry=tuple(self.odometry[drone] for drone in chosen),
            frames=tuple(of_chosen(f) for f in self.frames if f.sightings.observer in names),
            truth=tuple(self.truth[drone] for drone in chosen),
        )

    def since(self, begin_ns: int) -> Recording:
        """Return the rest of the recording; the filter is told the true poses of that time."""
        odometry = tuple(
            tuple(sample for sample in samples if sample.stamp_ns >= begin_ns)
            for samples in self.odometry
        )
        start = np.array(
            [
                path.at(np.array([samples[0].stamp_ns]))[0]
                for path, samples in zip(self.truth, odometry, strict=True)
            ]
        )
        return replace(
            self,
            # It holds at these samples, no longer where the odometry has its origin.
            team=replace(self.team, start=start, start_at_origin=()),
            odometry=odometry,
            frames=tuple(f for f in self.frames if f.sightings.stamp_ns >= begin_ns),
            begin_ns=begin_ns,
        )

    def with_true_start(self) -> Recording:
        """Return the same; the filter is told the true poses of its beginning, to 0.1 m.

        Needs the true paths.
        """
        sigma = np.full((len(self.team.names), 4), [0.1, 0.1, 0.1, 0.05])
        sigma[0] = 0.0  # it carries the map
        since = self.since(self.begin_ns)
        return replace(since, team=replace(since.team, start_sigma=sigma))

    def until(self, end_ns: int) -> Recording:
        """Return the recording up to a stamp."""
        return replace(
            self,
            odometry=tuple(
                tuple(sample for sample in samples if sample.stamp_ns <= end_ns)
                for samples in self.odometry
            ),
            frames=tuple(f for f in self.frames if f.sightings.stamp_ns <= end_ns),
            end_ns=min(end_ns, self.end_ns),
        )

    def odometry_path(self, drone: int) -> PosePath:
        """Return the VIO path of one drone in its own frame."""
        samples = self.odometry[drone]
        yaw = roll_pitch_yaw(np.array([s.quaternion for s in samples]))[:, 2]
        positions = np.array([s.position for s in samples])
        stamps = np.array([s.stamp_ns for s in samples])
        return PosePath(stamps, np.column_stack([positions, np.unwrap(yaw)]))


def sample_truth(recording: Recording, stamps: IntArray) -> FloatArray:
    """Return (M, N, 4) true poses at stamps, NaN where nobody knows them."""
    return np.stack([path.known_at(stamps) for path in recording.truth], axis=1)
