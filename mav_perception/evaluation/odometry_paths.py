"""Paths by odometry: where a VIO restarted, the path without its leaps, and VIO alone."""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.odometry.jumps import MAX_BREAK, SHORTEST_STEP, has_jumped
from mav_perception.localization.odometry.rows import COLUMNS, GAP, RAW
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import PosePath, Recording
from mav_perception.types import NANOSECONDS, BoolArray, FloatArray, IntArray


def restarts_of(odometry: PosePath, parameters: FilterParameters | None = None) -> IntArray:
    """Return the indices of the samples with which a VIO began anew, as the filter judges it.

    Args:
        odometry: of one drone, in the frame of its VIO.
        parameters: what counts as a jump; None for the defaults.
    """
    parameters = parameters or FilterParameters()
    times = (odometry.stamps - odometry.stamps[:1]) / NANOSECONDS
    rows = np.zeros((len(times), COLUMNS))
    rows[:, RAW] = odometry.poses
    restarts: list[int] = []
    for index in np.flatnonzero(_suspicious(odometry.poses, times, parameters)).tolist():
        recent = slice(max(index - 2, 0), index + 1)
        if has_jumped(list(rows[recent]), times[recent].tolist(), parameters):
            rows[index:, GAP] += 1.0
            restarts.append(index)
    return np.array(restarts, np.int64)


def _suspicious(poses: FloatArray, times: FloatArray, parameters: FilterParameters) -> BoolArray:
    """Return (K,) the samples that are worth the look: all that `has_jumped` could take."""
    found = np.zeros(len(times), bool)
    if len(times) < 2:
        return found
    step, elapsed = np.diff(poses, axis=0), np.diff(times)
    distance = np.linalg.norm(step[:, :3], axis=1)
    found[1:] = (distance > parameters.max_speed * np.maximum(elapsed, SHORTEST_STEP)) | (
        elapsed > MAX_BREAK
    )
    straight = step[:-1] * (elapsed[1:] / np.maximum(elapsed[:-1], 1e-3))[:, None]
    off = step[1:] - straight
    found[2:] |= np.linalg.norm(off[:, :3], axis=1) > parameters.jump_distance
    found[2:] |= np.abs(off[:, 3]) > parameters.jump_yaw
    return found


def joined(odometry: PosePath, restarts: IntArray) -> PosePath:
    """Return the path with each part put to the end of the one before, as the filter goes on.

    Nobody knows how the drone moved while its VIO restarted: it counts as having stood.
    """
    poses = odometry.poses.copy()
    for index in restarts.tolist():
        there, begin = poses[index - 1].copy(), poses[index].copy()
        turn = float(wrap_angle(there[3] - begin[3]))
        poses[index:, :3] = there[:3] + (poses[index:, :3] - begin[:3]) @ yaw_rotation(turn).T
        poses[index:, 3] += there[3] - begin[3]
    return PosePath(odometry.stamps, poses)


def without_leaps(odometry: PosePath) -> PosePath:
    """Return the path of a drone joined at every restart of its VIO."""
    return joined(odometry, restarts_of(odometry))


def carry_forward(estimate: PosePath, odometry: PosePath, stamps: IntArray) -> FloatArray:
    """Return (M, 4) poses of one drone at any stamps: its last estimate, moved on by odometry."""
    last = np.clip(np.searchsorted(estimate.stamps, stamps, 'right') - 1, 0, None)
    anchor, now = odometry.at(estimate.stamps)[last], odometry.at(stamps)
    poses = estimate.poses[last].copy()
    rotation = yaw_rotation(poses[:, 3] - anchor[:, 3])
    poses[:, :3] += np.einsum('mij,mj->mi', rotation, now[:, :3] - anchor[:, :3])
    poses[:, 3] = wrap_angle(poses[:, 3] + now[:, 3] - anchor[:, 3])
    return poses


def vio_alone(recording: Recording, drone: int, stamps: IntArray) -> FloatArray:
    """Return (M, 4) poses of one drone by odometry alone.

    It begins at the start that the filter is told, there where the filter takes it to hold: at the
    origin of the odometry or at the beginning of the recording. If nobody is told, it begins at
    the truth, at the first instant that has both.
    """
    team, odometry = recording.team, recording.odometry_path(drone)
    begin = np.array([recording.begin_ns])
    if not np.isfinite(team.start_sigma[drone]).all():
        truth = recording.truth[drone]
        first = np.array([max(begin[0], odometry.stamps[0], *truth.stamps[:1])])
        return carry_forward(PosePath(first, truth.at(first)), odometry, stamps)
    start = team.start[drone]
    if team.start_at_origin and team.start_at_origin[drone]:
        return from_origin(start, odometry).at(stamps)
    return carry_forward(PosePath(begin, start[None]), odometry, stamps)


def from_origin(start: FloatArray, odometry: PosePath) -> PosePath:
    """Return odometry as a path in map, from the pose (4,) in map of its own origin."""
    poses = odometry.poses + start
    poses[:, :3] = start[:3] + odometry.poses[:, :3] @ yaw_rotation(start[3]).T
    return PosePath(odometry.stamps, poses)
