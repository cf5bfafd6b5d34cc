"""Any filter played over a recording, frame by frame as it would run live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from mav_perception.errors import InputError
from mav_perception.evaluation.odometry_paths import (
    carry_forward,
    vio_alone,
    without_leaps,
)
from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.update.report import UpdateReport
from mav_perception.recordings.recording import LabelledFrame, PosePath, Recording, sample_truth
from mav_perception.types import BoolArray, FloatArray, IntArray, TeamState, nanoseconds

WRONG_POSITION, WRONG_YAW = 1.0, 0.35
"""A drone initialized farther off than this, metres and radians, is initialized wrong."""

ODOMETRY_WAIT = 0.3
"""Seconds that a frame waits for odometry, as `odometry_wait` of localization_node."""


@dataclass(frozen=True)
class Initialization:
    """A drone was initialized: when, and how far off it was then, as the first drone sees it."""

    stamp_ns: int
    drone: int
    position_error: float
    yaw_error: float

    @property
    def wrong(self) -> bool:
        """Tell whether this is another pose, not just an inexact one."""
        return self.position_error > WRONG_POSITION or self.yaw_error > WRONG_YAW


@dataclass(frozen=True)
class Estimate:
    """What a filter said over a run.

    Attributes:
        stamps: (K,) of the frames.
        means: (K, N, 4) after each frame.
        states: joint states after each frame.
        localized: (K, N) whose pose was published.
        update_ms: (K,) milliseconds of computing per frame.
        initializations: drones that were found without a known start.
        refused: why frames and odometry were not taken, one text each.
        without_pose: who has no pose at the end, and why.
    """

    stamps: IntArray
    means: FloatArray
    states: tuple[TeamState, ...]
    localized: BoolArray
    update_ms: FloatArray
    initializations: tuple[Initialization, ...] = ()
    refused: tuple[str, ...] = ()
    without_pose: tuple[str, ...] = ()

    @property
    def coverage(self) -> float:
        """Return the share of drone-time with a published pose."""
        return float(self.localized.mean()) if len(self.localized) else 0.0

    @property
    def start_ns(self) -> int | None:
        """Return the first time at which every drone is localized, None if there is none."""
        complete = self.localized.all(axis=1)
        return int(self.stamps[np.argmax(complete)]) if complete.any() else None

    def published(self, drone: int) -> IntArray:
        """Return the frames after which a pose of a drone was published, by their stamps.

        As localization_node does: not after a late frame, since a newer pose is out already. Of
        several frames with one stamp it is the last.
        """
        frames = np.flatnonzero(self.localized[:, drone])
        frames = frames[self.stamps[frames] >= np.maximum.accumulate(self.stamps[frames])]
        last = np.append(np.diff(self.stamps[frames]) > 0, True)
        return frames[last[: len(frames)]]


def play(
    recording: Recording,
    joint_filter: CoupledPdaFilter,
    frames: Iterable[LabelledFrame] | None = None,
    saw: Callable[[LabelledFrame, UpdateReport | None], None] | None = None,
) -> Estimate:
    """Run a filter over a recording, frame by frame, each with the odometry up to its time.

    Args:
        recording: the run.
        joint_filter: filter of the recording's team, or a baseline.
        frames: the recording's frames wrapped in a progress bar, if wanted.
        saw: is told of every frame and its update.
    """
    localizer, feed = TeamLocalizer(joint_filter), OdometryFeed(recording)
    states, localized, milliseconds = [], [], []
    initializations: list[Initialization] = []
    refused: list[str] = []
    for frame in recording.frames if frames is None else frames:
        stamp = frame.sightings.stamp_ns
        refused += feed.until(stamp, localizer)
        begin = time.perf_counter()
        try:
            report, notices = localizer.update(frame.sightings)
        except InputError as error:
            refused.append(str(error))
            continue
        milliseconds.append(1e3 * (time.perf_counter() - begin))
        if saw is not None:
            saw(frame, report)
        states.append(joint_filter.predict(stamp))
        localized.append(localizer.localized)
        found = [n.values['drone'] for n in notices if n.code == 'drone_found']
        initializations += [_initialization(recording, states[-1], drone) for drone in found]
    drones = len(recording.team.names)
    return Estimate(
        stamps=np.array([s.stamp_ns for s in states], np.int64),
        means=np.array([s.mean for s in states]).reshape(-1, drones, 4),
        states=tuple(states),
        localized=np.array(localized, bool).reshape(-1, drones),
        update_ms=np.array(milliseconds),
        initializations=tuple(initializations),
        refused=tuple(refused),
        without_pose=_without_pose(localizer),
    )


def _without_pose(localizer: TeamLocalizer) -> tuple[str, ...]:
    """Say of every drone that has no pose why."""
    everybody = zip(localizer.team.names, localizer.status(), strict=True)
    return tuple(f'{name}: {one.text}' for name, one in everybody if not one.localized)


class OdometryFeed:
    """Gives a localizer the odometry of a recording as a live one would have it by a frame."""

    def __init__(self, recording: Recording) -> None:
        """Begin before the first sample of every drone."""
        self._samples = dict(zip(recording.team.names, recording.odometry, strict=True))
        self._fed = dict.fromkeys(recording.team.names, 0)

    def until(self, stamp_ns: int, localizer: TeamLocalizer) -> list[str]:
        """Feed every drone's samples up to the first one at or after a stamp.

        Returns:
            why samples were refused.
        """
        refused = []
        for name, samples in self._samples.items():
            fed = self._fed[name]
            known_until = samples[fed - 1].stamp_ns if fed else stamp_ns - 1
            while fed < len(samples) and known_until < stamp_ns:
                known_until = samples[fed].stamp_ns
                if known_until > stamp_ns + nanoseconds(ODOMETRY_WAIT):
                    break  # a live filter would not wait so long
                try:
                    localizer.add_odometry(name, samples[fed])
                except InputError as error:
                    refused.append(str(error))
                fed += 1
            self._fed[name] = fed
        return refused


def _initialization(recording: Recording, state: TeamState, drone: int) -> Initialization:
    """Compare a new drone with the truth, both as the first drone sees it; NaN without truth."""
    truth = sample_truth(recording, np.array([state.stamp_ns]))[0]
    seen, true = (
        yaw_rotation(-poses[0, 3]) @ (poses[drone, :3] - poses[0, :3])
        for poses in (state.mean, truth)
    )
    turn = (state.mean[drone, 3] - state.mean[0, 3]) - (truth[drone, 3] - truth[0, 3])
    return Initialization(
        state.stamp_ns,
        drone,
        float(np.linalg.norm(seen - true)),
        abs(float(wrap_angle(turn))),
    )


def dead_reckoning(recording: Recording) -> Estimate:
    """Return the estimate of VIO alone: where it begins, moved on by odometry."""
    begin, drones = np.array([recording.begin_ns]), range(len(recording.team.names))
    means = np.stack([vio_alone(recording, drone, begin) for drone in drones], axis=1)
    nothing = np.zeros((means.size, means.size))
    everybody = np.ones((1, len(drones)), bool)
    return Estimate(
        stamps=begin,
        means=means,
        states=(TeamState(recording.begin_ns, means[0], nothing),),
        localized=everybody,
        update_ms=np.zeros(1),
    )


def sample_estimate(recording: Recording, estimate: Estimate, stamps: IntArray) -> FloatArray:
    """Return (M, N, 4) published poses at any stamps, NaN before a drone was first localized."""
    poses = np.full((len(stamps), len(recording.team.names), 4), np.nan)
    for drone in range(poses.shape[1]):
        frames = estimate.published(drone)
        if not len(frames):
            continue
        published = PosePath(estimate.stamps[frames], estimate.means[frames, drone])
        odometry = without_leaps(recording.odometry_path(drone))
        carried = carry_forward(published, odometry, stamps)
        known = estimate.localized[0, drone] | (stamps >= published.stamps[0])
        poses[known, drone] = carried[known]
    return poses
