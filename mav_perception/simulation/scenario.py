"""Scenario of a simulated flight: team, duration, rates, arena, sensors and their noise."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mav_perception.camera import PinholeCamera
from mav_perception.errors import ConfigurationError
from mav_perception.types import FloatArray


@dataclass(frozen=True)
class OdometryNoise:
    """Drift of the simulated VIO; densities per square root of metre, radian or second."""

    position: float = 0.05
    yaw: float = 0.008
    scale: float = 0.01
    hover_position: float = 0.005
    hover_yaw: float = 0.001


@dataclass(frozen=True)
class SightingNoise:
    """Statistical detector for runs without images: angles in radians, range error as a share."""

    bearing: float = np.radians(1.0)
    range_share: float = 0.1
    detection_probability: float = 0.8
    clutter_per_frame: float = 0.5
    min_range: float = 0.4
    max_range: float = 10.0


@dataclass(frozen=True)
class Scenario:
    """All that decides a run, together with its seed.

    Attributes:
        drones: size of the team.
        duration: seconds.
        frame_rate: camera frames a second and drone.
        odometry_rate: VIO outputs a second and drone.
        seed: of flight paths, drift, noise and the room.
        image_width, image_height, field_of_view: camera, the last horizontal, radians.
        radius: of the ring that the team flies around, metres; 0 for one that fits the team.
        separation: centres of two drones never come nearer than this, metres.
        start_sigma: how well the start of every drone but the first is known (x, y, z, yaw).
    """

    drones: int = 4
    duration: float = 60.0
    frame_rate: float = 5.0
    odometry_rate: float = 25.0
    seed: int = 0
    image_width: int = 640
    image_height: int = 512
    field_of_view: float = np.pi / 2.0
    radius: float = 0.0
    separation: float = 1.0
    start_sigma: tuple[float, float, float, float] = (0.3, 0.3, 0.1, 0.08)
    odometry_noise: OdometryNoise = field(default_factory=OdometryNoise)
    sighting_noise: SightingNoise = field(default_factory=SightingNoise)

    def __post_init__(self) -> None:
        """Refuse what cannot be flown."""
        if not 2 <= self.drones <= 20:
            raise ConfigurationError(f'A simulated team has 2 to 20 drones, not {self.drones}.')
        if self.duration <= 0.0 or self.frame_rate <= 0.0 or self.odometry_rate < self.frame_rate:
            raise ConfigurationError(
                f'duration {self.duration} s and frame rate {self.frame_rate} Hz must be positive '
                f'and odometry_rate {self.odometry_rate} Hz no lower than the frame rate.'
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the drones' names, mav1 first."""
        return tuple(f'mav{index + 1}' for index in range(self.drones))

    @property
    def formation_radius(self) -> float:
        """Return the radius of the ring that the team flies around, metres."""
        return self.radius or max(2.5, 0.7 * self.drones)

    @property
    def arena(self) -> FloatArray:
        """Return length, width and height of the flown volume, metres."""
        side = 2.0 * self.formation_radius + 4.0
        return np.array([side, side, 4.0])

    @property
    def camera(self) -> PinholeCamera:
        """Return the camera, the same on every drone."""
        return PinholeCamera.with_field_of_view(
            self.image_width, self.image_height, self.field_of_view
        )
