"""A VIO that began anew without telling: its odometry against what was seen meanwhile."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.odometry.history import MAX_BREAK, RESTART_GAP
from mav_perception.localization.odometry.process_noise import process_noise
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.types import NANOSECONDS, FloatArray

IMPROBABLE = 1e-4
"""Odometry that tells of a motion less probable than this, by what was seen, began anew."""

SMALLEST_VARIANCE = 1e-4
"""Of a motion along an axis, m^2."""


def silence_so_far(state: JointState) -> FloatArray:
    """Return (N,) seconds from the last odometry of each drone to the time of the state."""
    return np.maximum((state.stamp_ns - state.anchors.stamps) / NANOSECONDS, 0.0)


def believed_odometry(
    state: JointState, increments: OdometryRows, parameters: FilterParameters
) -> OdometryRows:
    """Return N odometry increments, those as of a restarted VIO that sightings deny.

    A VIO that restarts shows it by a jump or by its origin. If its first poses are lost with the
    link, nothing in it tells; but the step over the break is not the way that the sightings saw
    the drone go. With m, D mean and variance of the untold motion, s the step in map and V its
    variance, it is denied where sum (s - m)^2 / (V + D) exceeds the chi-square quantile.

    Args:
        state: before the step.
        increments: of the odometry since.
        parameters: of the filter.
    """
    waited = silence_so_far(state)
    # A sample from before the state was followed so far says nothing of where that led.
    ended = (waited > MAX_BREAK) & (increments.elapsed >= waited - 0.05)
    doubted = ended & state.silent & (increments.gap == 0.0)
    if not doubted.any():
        return increments
    poses = state.team.mean
    step = increments.position[..., None]
    went = (yaw_rotation(poses[:, 3] - state.anchors.yaw) @ step)[..., 0]
    variance = process_noise(increments, parameters, state.drift.applied(parameters))[:, :3]
    yaw_variance = np.diag(state.team.covariance)[3::4]
    variance[:, :2] += np.sum(went[:, :2] ** 2, axis=1, keepdims=True) * yaw_variance[:, None]
    total = np.maximum(variance + state.untold.variance, SMALLEST_VARIANCE)
    squared = np.sum((went - state.untold.mean) ** 2 / total, axis=1)
    return increments.restarted(doubted & (squared > chdtri(3, IMPROBABLE)), RESTART_GAP)
