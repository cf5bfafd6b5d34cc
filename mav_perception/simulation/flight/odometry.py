"""Simulated VIO: true motion with random walk and scale error, in a frame of the drone's own."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.geometry import quaternion_from_euler, roll_pitch_yaw, yaw_rotation
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.sensors import OdometryNoise
from mav_perception.simulation.flight.trajectories import FlightPath
from mav_perception.types import FloatArray, OdometrySample, nanoseconds, seconds


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


def with_faults(
    samples: tuple[OdometrySample, ...], scenario: Scenario, drone: int
) -> tuple[OdometrySample, ...]:
    """Return the VIO samples of a drone that its faults leave, and as they leave them."""
    kept = []
    for sample in samples:
        if scenario.speaks(
            drone, seconds(sample.stamp_ns), 'silent', 'no_odometry', 'vio_restart'
        ):
            kept.append(sample)
    for fault in scenario.faults:
        if fault.kind == 'vio_restart' and fault.drone == scenario.names[drone]:
            before = [s for s in kept if seconds(s.stamp_ns) < fault.end - 1e-9]
            kept = before + _restarted(kept[len(before) :])
    return tuple(kept)


def _restarted(samples: list[OdometrySample]) -> list[OdometrySample]:
    """Return samples as a VIO gives them that begins at the first one, with yaw 0."""
    if not samples:
        return []
    origin, angles = samples[0].position, roll_pitch_yaw(samples[0].quaternion)
    turn, shift = yaw_rotation(-angles[2]), np.array([0.0, 0.0, angles[2]])
    return [
        OdometrySample(
            sample.stamp_ns,
            turn @ (sample.position - origin),
            quaternion_from_euler(roll_pitch_yaw(sample.quaternion) - shift),
        )
        for sample in samples
    ]
