"""Smooth, collision-free flight paths: a slowly turning ring on which every drone weaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.errors import ConfigurationError
from mav_perception.geometry import yaw_rotation
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.types import FloatArray

GRAVITY = 9.81
MAX_ACCELERATION = 4.0
"""Limit that keeps the tilt of a quadrotor under 25 degrees, m/s^2."""

MAX_ATTEMPTS = 10_000

MAX_YAW_RATE, YAW_STEP = 6.0, 0.02
"""A small quadrotor turns no faster, rad/s, over so many seconds."""


@dataclass(frozen=True)
class FlightPath:
    """Analytic path of one drone: a point on the ring plus sines in all three axes and in yaw."""

    ring_radius: float
    ring_phase: float
    ring_rate: float
    amplitude: FloatArray
    frequency: FloatArray
    phase: FloatArray
    height: float

    def position(self, time: FloatArray) -> FloatArray:
        """Return (K, 3) positions in map at (K,) seconds."""
        angle = self.ring_phase + self.ring_rate * time
        ring = np.stack(
            [
                self.ring_radius * np.cos(angle),
                self.ring_radius * np.sin(angle),
                np.full_like(angle, self.height),
            ],
            axis=-1,
        )
        wave = np.sin(np.multiply.outer(time, self.frequency[:3]) + self.phase[:3])
        return ring + self.amplitude[:3] * wave

    def acceleration(self, time: FloatArray) -> FloatArray:
        """Return (K, 3) accelerations by central differences."""
        step = 1e-3
        around = [self.position(time + shift) for shift in (-step, 0.0, step)]
        return (around[0] - 2.0 * around[1] + around[2]) / step**2

    def yaw(self, time: FloatArray) -> FloatArray:
        """Return (K,) yaw: towards the middle of the ring, swinging to both sides."""
        x, y, _ = self.position(time).T
        swing = self.amplitude[3] * np.sin(time * self.frequency[3] + self.phase[3])
        return np.unwrap(np.arctan2(-y, -x)) + swing

    def rotation(self, time: FloatArray) -> FloatArray:
        """Return (K, 3, 3) rotations body to map: thrust carries gravity and acceleration."""
        thrust = self.acceleration(time) + np.array([0.0, 0.0, GRAVITY])
        yaw = self.yaw(time)
        level = np.einsum('kij,kj->ki', yaw_rotation(-yaw), thrust)
        pitch = np.arctan2(level[:, 0], level[:, 2])
        roll = np.arctan2(-level[:, 1], np.hypot(level[:, 0], level[:, 2]))
        angles = np.stack([yaw, pitch, roll], axis=-1)
        return Rotation.from_euler('ZYX', angles).as_matrix()


def plan_flights(scenario: Scenario) -> tuple[FlightPath, ...]:
    """Draw paths for the team until they keep apart and can be flown.

    Raises:
        ConfigurationError: no such paths were found for this team.
    """
    time = np.arange(0.0, scenario.duration + 0.1, 0.1)
    for attempt in range(MAX_ATTEMPTS):
        rng = np.random.default_rng((scenario.seed, attempt))
        ring_rate = float(rng.uniform(0.05, 0.15)) * float(rng.choice([-1.0, 1.0]))
        paths = tuple(_draw(scenario, index, ring_rate, rng) for index in range(scenario.drones))
        if _apart(paths, time, scenario.separation) and all(
            _flyable(path, time) for path in paths
        ):
            return paths
    raise ConfigurationError(f'No safe flight was found for {scenario.drones} drones: use fewer.')


def _draw(
    scenario: Scenario, index: int, ring_rate: float, rng: np.random.Generator
) -> FlightPath:
    spacing = 2.0 * np.pi / scenario.drones
    return FlightPath(
        ring_radius=scenario.formation_radius,
        ring_phase=spacing * (index + float(rng.uniform(-0.15, 0.15))),
        ring_rate=ring_rate,
        amplitude=rng.uniform([0.5, 0.5, 0.2, 0.2], [1.3, 1.3, 0.7, 0.6]),
        frequency=scenario.pace * rng.uniform(0.3, 0.9, 4),
        phase=rng.uniform(-np.pi, np.pi, 4),
        height=float(rng.uniform(1.4, 2.4)),
    )


def _apart(paths: tuple[FlightPath, ...], time: FloatArray, separation: float) -> bool:
    positions = np.stack([path.position(time) for path in paths])
    for index in range(len(paths) - 1):
        distance = np.linalg.norm(positions[index + 1 :] - positions[index], axis=-1)
        if distance.min() < separation:
            return False
    return True


def _flyable(path: FlightPath, time: FloatArray) -> bool:
    if float(np.linalg.norm(path.acceleration(time), axis=1).max()) >= MAX_ACCELERATION:
        return False
    # Who looks at the middle of the ring and flies over it would have to turn at once.
    fine = np.arange(time[0], time[-1], YAW_STEP)
    return float(np.abs(np.diff(path.yaw(fine))).max()) < MAX_YAW_RATE * YAW_STEP
