"""Scenario of a simulated flight: team, paths, sensors, surroundings and what fails."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mav_perception.errors import ConfigurationError
from mav_perception.simulation.flight.sensors import (
    CameraSettings,
    Exposure,
    NotNegative,
    OdometryNoise,
    SightingNoise,
)
from mav_perception.types import FloatArray

MAX_DURATION, MAX_FRAME_RATE, MAX_ODOMETRY_RATE = 1e6, 60.0, 400.0
"""Seconds, and hertz of a camera and of a VIO: beyond these a simulated flight makes no sense."""

FAULTS = ('silent', 'no_odometry', 'vio_restart', 'blind_camera')
"""A drone says nothing; says nothing of its VIO; its VIO restarts after a gap, with a new origin
and yaw; its cameras see nothing."""


@dataclass(frozen=True)
class Surroundings(NotNegative):
    """What the hall is like.

    Attributes:
        brightness: factor on all light.
        clutter: standing things that look like drones.
        movers: people, carts and birds on their way around the flown volume.
    """

    brightness: float = 1.0
    clutter: int = 0
    movers: int = 0


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with one drone from `begin` to `end`, seconds.

    A drone that is silent from the beginning joins late: nobody knows where it starts.
    """

    kind: str
    drone: str
    begin: float
    end: float

    def __post_init__(self) -> None:
        """Refuse what cannot happen."""
        if self.kind not in FAULTS or not 0.0 <= self.begin < self.end:
            raise ConfigurationError(
                f'Fault {self.kind!r} from {self.begin} to {self.end} s: use one of '
                f'{", ".join(FAULTS)} with 0 <= begin < end.'
            )

    def strikes(self, drone: str, time: float, *kinds: str) -> bool:
        """Tell whether a drone has this fault, if it is one of `kinds`, at a time in seconds."""
        return self.drone == drone and self.kind in kinds and self.begin <= time < self.end - 1e-9


@dataclass(frozen=True)
class Scenario:
    """All that decides a run, together with its seed.

    Attributes:
        text: what it is, for a person.
        drones: size of the team.
        duration: seconds.
        frame_rate: camera frames a second and camera.
        frame_delay: frames arrive up to so many seconds late, and shuffled.
        odometry_rate: VIO outputs a second and drone.
        seed: of flight paths, drift, noise and the room.
        pace: factor on the speed of the weaving flight.
        radius: of the ring that the team flies around, metres; 0 for one that fits the team.
        separation: centres of two drones never come nearer than this, metres.
        start_sigma: how well the start of every drone but the first is known (x, y, z, yaw).
        start_known: whether the filter is told where the drones start at all.
        cameras: one to four, the same on every drone.
        surroundings, exposure: of the images.
        odometry_noise: drift of the VIO.
        sighting_noise: of sightings in runs without images.
        faults: what goes wrong.
    """

    text: str = ''
    drones: int = 4
    duration: float = 60.0
    frame_rate: float = 5.0
    frame_delay: float = 0.0
    odometry_rate: float = 25.0
    seed: int = 0
    pace: float = 1.0
    radius: float = 0.0
    separation: float = 1.0
    start_sigma: tuple[float, float, float, float] = (0.3, 0.3, 0.1, 0.08)
    start_known: bool = True
    cameras: tuple[CameraSettings, ...] = (CameraSettings(),)
    surroundings: Surroundings = Surroundings()
    exposure: Exposure = Exposure()
    odometry_noise: OdometryNoise = field(default_factory=OdometryNoise)
    sighting_noise: SightingNoise = field(default_factory=SightingNoise)
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be flown."""
        if not 2 <= self.drones <= 20:
            raise ConfigurationError(f'A simulated team has 2 to 20 drones, not {self.drones}.')
        self._check_rates()
        for name in ('duration', 'seed', 'frame_delay', 'pace', 'radius', 'separation'):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ConfigurationError(f'{name} is {getattr(self, name)}: not below 0, finite.')
        if not min(self.start_sigma) >= 0.0 or self.start_sigma[3] > 2.0 * np.pi:
            raise ConfigurationError(
                f'start_sigma is {list(self.start_sigma)}: metres three times, then radians, none '
                'below 0.'
            )
        names = [camera.name for camera in self.cameras]
        if not 1 <= len(names) <= 4 or names[0] or '' in names[1:] or len({*names}) < len(names):
            raise ConfigurationError(
                f'A drone carries 1 to 4 cameras, the first without a name and the others with '
                f'different ones, not {names}.'
            )
        unknown = [fault.drone for fault in self.faults if fault.drone not in self.names]
        if unknown:
            raise ConfigurationError(
                f'A fault of {unknown[0]!r}: the team is {", ".join(self.names)}.'
            )

    def _check_rates(self) -> None:
        if self.duration <= 0.0 or self.frame_rate <= 0.0 or self.odometry_rate < self.frame_rate:
            raise ConfigurationError(
                f'duration {self.duration} s and frame rate {self.frame_rate} Hz must be positive '
                f'and odometry_rate {self.odometry_rate} Hz no lower than the frame rate.'
            )
        most = {
            'duration': MAX_DURATION,
            'frame_rate': MAX_FRAME_RATE,
            'odometry_rate': MAX_ODOMETRY_RATE,
        }
        for name, limit in most.items():
            if not getattr(self, name) <= limit:  # nor NaN
                raise ConfigurationError(f'{name} is {getattr(self, name):g}: {limit:g} at most.')

    @property
    def names(self) -> tuple[str, ...]:
        """Return the drones' names, mav1 first."""
        return tuple(f'mav{index + 1}' for index in range(self.drones))

    @property
    def unknown_starts(self) -> tuple[int, ...]:
        """Return the drones whose start the filter is not told; the first one's always is."""
        if not self.start_known:
            return tuple(range(1, self.drones))
        late = {f.drone for f in self.faults if f.kind == 'silent' and f.begin == 0.0}
        return tuple(i for i, name in enumerate(self.names) if i and name in late)

    @property
    def formation_radius(self) -> float:
        """Return the radius of the ring that the team flies around, metres."""
        return self.radius or max(2.5, 0.7 * self.drones)

    @property
    def arena(self) -> FloatArray:
        """Return length, width and height of the flown volume, metres."""
        side = 2.0 * self.formation_radius + 4.0
        return np.array([side, side, 4.0])

    def speaks(self, drone: int, time: float, *silenced_by: str) -> bool:
        """Tell whether nothing silences an output of a drone at a time in seconds."""
        name = self.names[drone]
        return not any(fault.strikes(name, time, *silenced_by) for fault in self.faults)
