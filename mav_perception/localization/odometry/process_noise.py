"""Noise that odometry increments add to the joint state."""

from __future__ import annotations

import numpy as np

from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import ProcessNoiseParameters
from mav_perception.types import FloatArray


def process_noise(
    increments: OdometryRows, parameters: ProcessNoiseParameters, scale: FloatArray
) -> FloatArray:
    """Return the (N, 4) variances of x, y, z and yaw that N odometry increments add.

    A random walk each: Q = s^2 (sigma_d^2 distance + sigma_h^2 time) + sigma_g^2 gap, for position
    and likewise for yaw, which also grows with the turn.

    Args:
        increments: of N drones.
        parameters: the sigmas.
        scale: (N,) s, see `DriftScale`.
    """
    distance, turn = np.abs(increments.distance), np.abs(increments.turn)
    time = np.abs(increments.elapsed)
    position = parameters.position_noise**2 * distance + parameters.hover_position_noise**2 * time
    yaw = (
        parameters.yaw_noise**2 * distance
        + parameters.turn_noise**2 * turn
        + parameters.hover_yaw_noise**2 * time
    )
    vertical = position * parameters.vertical_noise_scale**2
    noise = scale[:, None] ** 2 * np.stack([position, position, vertical, yaw], axis=1)
    noise[:, :3] += gap_variance(np.abs(increments.gap), parameters)
    noise[:, 3] += parameters.gap_yaw_noise**2 * np.abs(increments.yaw_gap)
    return noise


def gap_variance(seconds: FloatArray, parameters: ProcessNoiseParameters) -> FloatArray:
    """Return the (N, 3) variances of N positions after so many seconds (N,) without odometry."""
    horizontal = parameters.gap_position_noise**2 * seconds
    vertical = horizontal * parameters.vertical_noise_scale**2
    return np.stack([horizontal, horizontal, vertical], axis=1)
