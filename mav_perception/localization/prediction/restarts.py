"""VIOs that restarted unnoticed: their odometry against what was seen of the drone meanwhile."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.odometry.process_noise import gap_variance, process_noise
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.types import BoolArray, FloatArray

IMPROBABLE = 1e-4
"""Odometry whose step is less probable than this, given what was seen, is of a restarted VIO."""

LONG_SILENCE = 2.0
"""A drone without odometry for longer, seconds, is not published; back, it has to be seen."""

MAX_FOLLOWED_SHARE = 0.5
"""A silent drone was followed by sightings if they left this share of its variance, or less."""

UNSEEN_SPEED_SHARE = 0.5
"""Standard deviation of where a drone went on unseen, as a share of the way at its pace."""


def contradicted_odometry(
    state: JointState,
    increments: OdometryRows,
    waited: FloatArray,
    parameters: FilterParameters,
) -> BoolArray:
    """Return (N,) whose VIO restarted, by what was seen of the drone while it was silent.

    A VIO that restarts shows it by a jump or by its origin. If its first poses are lost with the
    link, nothing in it tells; but its step over the break is not the way that the sightings saw
    the drone go. With m, D mean and variance of the untold motion, s the step in map and V its
    variance, it is contradicted where sum (s - m)^2 / (V + D + (v t)^2) exceeds the chi-square
    quantile. D grows as a random walk, but in the time t since it was last seen it flew on: v is
    half its pace, that of the step or that before the break.

    Args:
        state: before the step.
        increments: of the odometry since.
        waited: (N,) seconds from the last odometry of each drone to the time of the state.
        parameters: of the filter.
    """
    walk = gap_variance(waited, parameters)
    followed = (state.untold.variance[:, :2] <= MAX_FOLLOWED_SHARE * walk[:, :2]).all(axis=1)
    # A sample from before the state was followed so far says nothing of where that led.
    ended = (waited > LONG_SILENCE) & (increments.elapsed >= waited - 0.05)
    doubted = ended & followed & state.silent & (increments.gap == 0.0)
    if not doubted.any():
        return doubted
    poses, yaw_variance = state.team.mean, state.team.variances[:, 3]
    turn = yaw_rotation(poses[:, 3] - state.anchors.yaw)
    went = (turn @ increments.position[..., None])[..., 0]
    scale = state.drift.applied(parameters, state.unmet)
    variance = process_noise(increments, parameters, scale)[:, :3]
    variance[:, :2] += (np.sum(went[:, :2] ** 2, axis=1) * yaw_variance)[:, None]
    elapsed = np.abs(increments.elapsed)
    speed = UNSEEN_SPEED_SHARE * increments.distance / np.maximum(elapsed, LONG_SILENCE)
    walked = state.untold.variance[:, 0] / parameters.gap_position_noise**2
    unseen = walked + np.maximum(elapsed - waited, 0.0)
    variance += state.untold.variance + ((speed * unseen) ** 2)[:, None]
    free = state.untold.variance > 0.0  # a vehicle on a plane has no height to be contradicted by
    off = np.where(free, (went - state.untold.mean) ** 2 / np.maximum(variance, 1e-12), 0.0)
    return np.asarray(doubted & (off.sum(axis=1) > chdtri(free.sum(axis=1), IMPROBABLE)))
