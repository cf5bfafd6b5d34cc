"""Simulated VIO: true motion with random walk and scale error, in a frame of the drone's own."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.geometry import quaternion_from_euler, roll_pitch_yaw, yaw_rotation
from mav_perception.simulation.scenario import OdometryNoise
from mav_perception.simulation.trajectories import FlightPath
from mav_perception.types import FloatArray, OdometrySample, nanoseconds


def drifting_odometry(
    path: FlightPath, times: FloatArray, noise: OdometryNoise, rng: np.random.Generator
) -> tuple[OdometrySample, ...]:
    """Return VIO samples at times (K,) seconds; the first one is the origin with yaw 0.

    Increments in the levelled body frame are scaled and get white noise that grows with the
    distance flown and with time, so their sum drifts as a random walk.
    """
    position = path.position(times)
    attitude = roll_pitch_yaw(Rotation.from_matrix(path.rotation(times)).as_quat())
    yaw = np.unwrap(attitude[:, 2])
    step = np.einsum('kji,kj->ki', yaw_rotation(yaw[:-1]), np.diff(position, axis=0))
    length = np.linalg.norm(step, axis=1)
    elapsed = np.diff(times)
    scale = 1.0 + noise.scale * rng.standard_normal()
    position_sigma = np.sqrt(noise.position**2 * length + noise.hover_position**2 * elapsed)
    yaw_sigma = np.sqrt(noise.yaw**2 * length + noise.hover_yaw**2 * elapsed)
    step = scale * step + position_sigma[:, None] * rng.standard_normal(step.shape)
    turn = np.diff(yaw) + yaw_sigma * rng.standard_normal(len(length))

    drifted_yaw = np.concatenate([[0.0], np.cumsum(turn)])
    moved = np.einsum('kij,kj->ki', yaw_rotation(drifted_yaw[:-1]), step)
    drifted = np.concatenate([np.zeros((1, 3)), np.cumsum(moved, axis=0)])
    angles = np.column_stack([attitude[:, :2], drifted_yaw])
    return tuple(
        OdometrySample(nanoseconds(t), p, q)
        for t, p, q in zip(times, drifted, quaternion_from_euler(angles), strict=True)
    )
