"""A recorded or simulated run, and any filter played over it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import roll_pitch_yaw, wrap_angle, yaw_rotation
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.team import Team
from mav_perception.localization.update import UpdateReport
from mav_perception.types import (
    BoolArray,
    FloatArray,
    IntArray,
    OdometrySample,
    Sightings,
    TeamState,
    nanoseconds,
)

WRONG_POSITION, WRONG_YAW = 1.0, 0.35
"""A drone placed farther off than this, metres and radians, is placed wrong."""

ODOMETRY_WAIT = 0.3
"""Seconds that a frame waits for odometry, as `odometry_wait` of localization_node."""


@dataclass(frozen=True)
class Path4:
    """A 4-DoF path: `stamps` (K,) nanoseconds ascending, `poses` (K, 4) with unwrapped yaw."""

    stamps: IntArray
    poses: FloatArray

    def at(self, stamps: IntArray) -> FloatArray:
        """Return (M, 4) poses at stamps, linearly interpolated, held at the ends; NaN if empty."""
        if not len(self.stamps):
            return np.full((len(stamps), self.poses.shape[1]), np.nan)
        return np.column_stack([np.interp(stamps, self.stamps, c) for c in self.poses.T])


@dataclass(frozen=True)
class LabelledFrame:
    """Sightings of one camera frame, and the drone index of each or -1: for rivals and scores."""

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
    """

    team: Team
    odometry: tuple[tuple[OdometrySample, ...], ...]
    frames: tuple[LabelledFrame, ...]
    truth: tuple[Path4, ...]
    begin_ns: int
    end_ns: int

    def odometry_path(self, drone: int) -> Path4:
        """Return the VIO path of one drone in its own frame."""
        samples = self.odometry[drone]
        yaw = roll_pitch_yaw(np.array([s.quaternion for s in samples]))[:, 2]
        positions = np.array([s.position for s in samples])
        stamps = np.array([s.stamp_ns for s in samples])
        return Path4(stamps, np.column_stack([positions, np.unwrap(yaw)]))


@dataclass(frozen=True)
class Commit:
    """A drone was placed: when, and how far it was then from where the first drone sees it."""

    stamp_ns: int
    drone: int
    position_error: float
    yaw_error: float

    @property
    def wrong(self) -> bool:
        """Tell whether this is another place, not just an inexact one."""
        return self.position_error > WRONG_POSITION or self.yaw_error > WRONG_YAW


@dataclass(frozen=True)
class Estimate:
    """What a filter said over a run.

    Attributes:
        stamps: (K,) of the frames.
        means: (K, N, 4) after each frame.
        states: joint states after each frame.
        placed: (K, N) whose pose was published.
        update_ms: (K,) milliseconds of computing per frame.
        commits: drones that were placed without a known start.
    """

    stamps: IntArray
    means: FloatArray
    states: tuple[TeamState, ...]
    placed: BoolArray
    update_ms: FloatArray
    commits: tuple[Commit, ...] = ()

    @property
    def coverage(self) -> float:
        """Return the share of drone-time with a published pose."""
        return float(self.placed.mean())

    @property
    def start_ns(self) -> int | None:
        """Return the first time at which every drone is placed, None if there is none."""
        complete = self.placed.all(axis=1)
        return int(self.stamps[np.argmax(complete)]) if complete.any() else None


def play(
    recording: Recording,
    joint_filter: CoupledPdaFilter,
    frames: Iterable[LabelledFrame] | None = None,
    saw: Callable[[LabelledFrame, UpdateReport | None], None] | None = None,
) -> Estimate:
    """Run a filter over a recording, frame by frame, each with the odometry up to its time.

    Args:
        recording: the run.
        joint_filter: filter of the recording's team, or a rival.
        frames: the recording's frames wrapped in a progress bar, if wanted.
        saw: is told of every frame and its update.
    """
    localizer = TeamLocalizer(joint_filter)
    fed = [0] * len(recording.odometry)
    states, placed, milliseconds = [], [], []
    commits: list[Commit] = []
    for frame in recording.frames if frames is None else frames:
        stamp = frame.sightings.stamp_ns
        for drone, name in enumerate(recording.team.names):
            samples = recording.odometry[drone]
            known_until = samples[fed[drone] - 1].stamp_ns if fed[drone] else stamp - 1
            while fed[drone] < len(samples) and known_until < stamp:
                known_until = samples[fed[drone]].stamp_ns
                if known_until > stamp + nanoseconds(ODOMETRY_WAIT):
                    break  # a live filter would not wait so long
                localizer.add_odometry(name, samples[fed[drone]])
                fed[drone] += 1
        begin = time.perf_counter()
        report, notices = localizer.update(frame.sightings, frame.labels)
        milliseconds.append(1e3 * (time.perf_counter() - begin))
        if saw is not None:
            saw(frame, report)
        states.append(joint_filter.predict(stamp))
        placed.append(localizer.placed)
        found = [n.values['drone'] for n in notices if n.code == 'drone_found']
        commits += [_commit(recording, states[-1], drone) for drone in found]
    return Estimate(
        np.array([s.stamp_ns for s in states], np.int64),
        np.array([s.mean for s in states]),
        tuple(states),
        np.array(placed),
        np.array(milliseconds),
        tuple(commits),
    )


def _commit(recording: Recording, state: TeamState, drone: int) -> Commit:
    """Compare a new drone with the truth, both as the first drone sees it."""
    truth = sample_truth(recording, np.array([state.stamp_ns]))[0]
    seen, true = (
        yaw_rotation(-poses[0, 3]) @ (poses[drone, :3] - poses[0, :3])
        for poses in (state.mean, truth)
    )
    turn = (state.mean[drone, 3] - state.mean[0, 3]) - (truth[drone, 3] - truth[0, 3])
    return Commit(
        state.stamp_ns,
        drone,
        float(np.linalg.norm(seen - true)),
        abs(float(wrap_angle(turn))),
    )


def dead_reckoning(recording: Recording) -> Estimate:
    """Return the estimate of VIO alone: the known start, moved on by odometry."""
    begin = recording.begin_ns
    means = recording.team.start[None]
    nothing = np.zeros((means.size, means.size))
    state = TeamState(begin, recording.team.start, nothing)
    everybody = np.ones((1, len(recording.team.names)), bool)
    return Estimate(np.array([begin]), means, (state,), everybody, np.zeros(1))


def carry_forward(estimate: Path4, odometry: Path4, stamps: IntArray) -> FloatArray:
    """Return (M, 4) poses of one drone at any stamps: its last estimate, moved on by odometry."""
    last = np.clip(np.searchsorted(estimate.stamps, stamps, 'right') - 1, 0, None)
    anchor, now = odometry.at(estimate.stamps)[last], odometry.at(stamps)
    poses = estimate.poses[last].copy()
    rotation = yaw_rotation(poses[:, 3] - anchor[:, 3])
    poses[:, :3] += np.einsum('mij,mj->mi', rotation, now[:, :3] - anchor[:, :3])
    poses[:, 3] = wrap_angle(poses[:, 3] + now[:, 3] - anchor[:, 3])
    return poses


def sample_estimate(recording: Recording, estimate: Estimate, stamps: IntArray) -> FloatArray:
    """Return (M, N, 4) estimated poses at any stamps, NaN before a drone was first placed."""
    poses = np.stack(
        [
            carry_forward(
                Path4(estimate.stamps, estimate.means[:, drone]),
                recording.odometry_path(drone),
                stamps,
            )
            for drone in range(len(recording.team.names))
        ],
        axis=1,
    )
    for drone, placed in enumerate(estimate.placed.T):
        first = estimate.stamps[np.argmax(placed)] if placed.any() else np.iinfo(np.int64).max
        if not placed[0]:
            poses[stamps < first, drone] = np.nan
    return poses


def sample_truth(recording: Recording, stamps: IntArray) -> FloatArray:
    """Return (M, N, 4) true poses at stamps."""
    return np.stack([path.at(stamps) for path in recording.truth], axis=1)
