"""The team: names, where everybody starts, where the cameras sit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.errors import ConfigurationError
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.types import FloatArray


@dataclass(frozen=True)
class Team:
    """Who flies, and what is known before the first measurement.

    Attributes:
        names: drone names; the first one fixes the gauge of `map`.
        start: (N, 4) x, y, z, yaw in map where each drone's odometry begins, metres and radians.
        start_sigma: (N, 4) standard deviations of `start`, NaN where the start is not known.
        mounts: the cameras of every drone, its first one first.
        start_at_origin: of which drones `start` is where the origin of the odometry lies,
            whenever its first sample is heard; of the others it is where the drone is at that
            sample. Empty for none.
    """

    names: tuple[str, ...]
    start: FloatArray
    start_sigma: FloatArray
    mounts: tuple[tuple[CameraMount, ...], ...]
    start_at_origin: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        """Check sizes and values."""
        count = len(self.names)
        if count < 2 or len(set(self.names)) != count:
            raise ConfigurationError(
                f'A team needs at least two drones with different names, got {list(self.names)}.'
            )
        if self.start.shape != (count, 4) or self.start_sigma.shape != (count, 4):
            raise ConfigurationError(
                f'start and start_sigma need four numbers (x, y, z, yaw) for each of {count} '
                'drones.'
            )
        if len(self.start_at_origin) not in (0, count):
            raise ConfigurationError(f'start_at_origin needs a value for each of {count} drones.')
        unknown = np.asarray(np.isnan(self.start_sigma).all(axis=1))
        known_sigma = self.start_sigma[~unknown]
        if unknown[0] or not (np.isfinite(self.start).all() and np.isfinite(known_sigma).all()):
            raise ConfigurationError(
                'start and start_sigma need finite numbers; only the start of the first drone, '
                'which fixes the map, cannot be unknown.'
            )
        if (self.start_sigma < 0.0).any() or list(map(bool, self.mounts)) != [True] * count:
            raise ConfigurationError('start_sigma must not be negative; give each drone a camera.')

    def index(self, name: str) -> int:
        """Return the index of a drone, or raise ConfigurationError that lists the team."""
        try:
            return self.names.index(name)
        except ValueError:
            raise ConfigurationError(
                f'Unknown drone {name!r}: the team is {", ".join(self.names)}. Add it to '
                'team.yaml.'
            ) from None

    @property
    def camera_count(self) -> int:
        """Return the number of cameras of the whole team."""
        return sum(len(mounts) for mounts in self.mounts)

    def camera(self, drone: str, name: str) -> tuple[int, CameraMount]:
        """Return a camera's index in the team and its mount, or raise ConfigurationError."""
        index = self.index(drone)
        names = [mount.name for mount in self.mounts[index]]
        if name not in names:
            raise ConfigurationError(
                f'{drone} has no camera {name!r}: its cameras are {names}. Add it to '
                '`more_cameras` in team.yaml.'
            )
        before = sum(len(mounts) for mounts in self.mounts[:index])
        return before + names.index(name), self.mounts[index][names.index(name)]

    def with_unknown_start(self) -> Team:
        """Return the team with nothing known of any start but the first drone's."""
        sigma = self.start_sigma.copy()
        sigma[1:] = np.nan
        return replace(self, start_sigma=sigma)
