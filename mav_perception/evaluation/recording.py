"""A recorded or simulated run, and any filter played over it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import roll_pitch_yaw, wrap_angle, yaw_rotation
from mav_perception.localization.association import Associate
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team import Team
from mav_perception.types import FloatArray, IntArray, OdometrySample, Sightings, TeamState


@dataclass(frozen=True)
class Path4:
    """A 4-DoF path: `stamps` (K,) nanoseconds ascending, `poses` (K, 4) with unwrapped yaw."""

    stamps: IntArray
    poses: FloatArray

    def at(self, stamps: IntArray) -> FloatArray:
        """Return (M, 4) poses at stamps, linearly interpolated and held at the ends."""
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
class Estimate:
    """What a filter said over a run.

    Attributes:
        stamps: (K,) of the updates.
        means: (K, N, 4) after each update.
        states: joint states after each update.
        update_ms: (K,) milliseconds of computing per update.
    """

    stamps: IntArray
    means: FloatArray
    states: tuple[TeamState, ...]
    update_ms: FloatArray


def play(
    recording: Recording,
    parameters: FilterParameters,
    associate: Associate,
    frames: Iterable[LabelledFrame] | None = None,
) -> Estimate:
    """Run a filter over a recording, frame by frame, each with the odometry up to its time.

    Args:
        recording: the run.
        parameters: of the filter.
        associate: association of the filter or of a rival.
        frames: the recording's frames wrapped in a progress bar, if wanted.
    """
    joint_filter = CoupledPdaFilter(recording.team, parameters, associate)
    waiting = [iter(samples) for samples in recording.odometry]
    newest = [-(2**62)] * len(waiting)
    states, milliseconds = [], []
    for frame in recording.frames if frames is None else frames:
        stamp = frame.sightings.stamp_ns
        for drone, name in enumerate(recording.team.names):
            while newest[drone] < stamp:
                sample = next(waiting[drone], None)
                if sample is None:
                    break
                joint_filter.add_odometry(name, sample)
                newest[drone] = sample.stamp_ns
        begin = time.perf_counter()
        joint_filter.update(frame.sightings, frame.labels)
        milliseconds.append(1e3 * (time.perf_counter() - begin))
        states.append(joint_filter.predict(stamp))
    stamps = np.array([s.stamp_ns for s in states], np.int64)
    means = np.array([s.mean for s in states])
    return Estimate(stamps, means, tuple(states), np.array(milliseconds))


def dead_reckoning(recording: Recording) -> Estimate:
    """Return the estimate of VIO alone: the known start, moved on by odometry."""
    begin = recording.begin_ns
    means = recording.team.start[None]
    state = TeamState(begin, recording.team.start, recording.team.start_covariance())
    return Estimate(np.array([begin]), means, (state,), np.zeros(1))


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
    """Return (M, N, 4) estimated poses at any stamps."""
    return np.stack(
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


def sample_truth(recording: Recording, stamps: IntArray) -> FloatArray:
    """Return (M, N, 4) true poses at stamps."""
    return np.stack([path.at(stamps) for path in recording.truth], axis=1)
