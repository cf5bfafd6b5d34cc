"""The team: names, where everybody starts, where the cameras sit. Read from team.yaml."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mav_perception.errors import ConfigurationError
from mav_perception.localization.observation import CameraMount
from mav_perception.resources import find_share
from mav_perception.types import FloatArray


@dataclass(frozen=True)
class Team:
    """Who flies, and what is known before the first measurement.

    Attributes:
        names: drone names; the first one fixes the gauge of `map`.
        start: (N, 4) x, y, z, yaw in map where each drone's odometry begins, metres and radians.
        start_sigma: (N, 4) standard deviations of `start`, NaN where the start is not known.
        mounts: camera of every drone.
    """

    names: tuple[str, ...]
    start: FloatArray
    start_sigma: FloatArray
    mounts: tuple[CameraMount, ...]

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
        unknown = np.asarray(np.isnan(self.start_sigma).all(axis=1))
        known_sigma = self.start_sigma[~unknown]
        if unknown[0] or not (np.isfinite(self.start).all() and np.isfinite(known_sigma).all()):
            raise ConfigurationError(
                'start and start_sigma need finite numbers; only the start of the first drone, '
                'which fixes the map, cannot be unknown.'
            )
        if (self.start_sigma < 0.0).any() or len(self.mounts) != count:
            raise ConfigurationError('start_sigma must not be negative; give one camera a drone.')

    def index(self, name: str) -> int:
        """Return the index of a drone, or raise ConfigurationError that lists the team."""
        try:
            return self.names.index(name)
        except ValueError:
            raise ConfigurationError(
                f'Unknown drone {name!r}: the team is {", ".join(self.names)}. Add it to '
                'team.yaml.'
            ) from None

    def with_unknown_start(self) -> Team:
        """Return the team with nothing known of any start but the first drone's."""
        sigma = self.start_sigma.copy()
        sigma[1:] = np.nan
        return replace(self, start_sigma=sigma)


@dataclass(frozen=True)
class DroneEntry:
    """One drone of team.yaml: what the launch files and the localization node need of it."""

    name: str
    namespace: str
    start: tuple[float, float, float, float]
    start_sigma: tuple[float, float, float, float]
    camera_translation: tuple[float, float, float]
    camera_rotation: tuple[float, float, float]


UNKNOWN = 'unknown'
"""What team.yaml says as `start:` of a drone that has to be found."""

DEFAULTS: dict[str, Any] = {
    'start': [0.0, 0.0, 0.0, 0.0],
    'start_sigma': [0.2, 0.2, 0.1, 0.05],
    'camera_translation': [0.1, 0.0, 0.0],
    'camera_rotation': [0.0, 0.0, 0.0],
}


def team_path(path: str) -> Path:
    """Return the path of a team file; an empty one means the example that is shipped."""
    return Path(path).expanduser() if path else find_share('config', 'team.yaml')


def save_team(entries: tuple[DroneEntry, ...], path: Path) -> None:
    """Write team.yaml."""
    drones = [
        {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(entry).items()}
        for entry in entries
    ]
    path.write_text(yaml.safe_dump({'drones': drones}, sort_keys=False))


def load_team(path: Path) -> tuple[DroneEntry, ...]:
    """Read team.yaml: `defaults:` for all, then a list `drones:` of names and what differs.

    Raises:
        ConfigurationError: unreadable file, unknown key, wrong number of values, double name.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f'Cannot read team file {path}: {error}') from error
    if not isinstance(document, dict) or not isinstance(document.get('drones'), list):
        raise ConfigurationError(f'{path} needs a list `drones:` with a `name:` each.')
    defaults = DEFAULTS | (document.get('defaults') or {})
    entries = tuple(_entry(path, defaults, item) for item in document['drones'])
    for attribute in ('name', 'namespace'):
        values = [getattr(entry, attribute) for entry in entries]
        if len(set(values)) != len(values):
            raise ConfigurationError(f'{path}: two drones share one {attribute}: {values}.')
    return entries


def _entry(path: Path, defaults: dict[str, Any], item: Any) -> DroneEntry:
    if not isinstance(item, dict) or not item.get('name'):
        raise ConfigurationError(f'{path}: every drone needs a `name:`, got {item!r}.')
    values = defaults | {'namespace': f'/{item["name"]}'} | item
    if values['start'] == UNKNOWN:
        values |= {'start': DEFAULTS['start'], 'start_sigma': [float('nan')] * 4}
    unknown = sorted(set(values) - set(DroneEntry.__dataclass_fields__))
    if unknown:
        known = ', '.join(DroneEntry.__dataclass_fields__)
        raise ConfigurationError(f'{path}: unknown key {unknown[0]!r}; known keys: {known}.')
    for key, default in DEFAULTS.items():
        try:
            values[key] = tuple(float(v) for v in values[key])
        except (TypeError, ValueError):
            values[key] = ()
        if len(values[key]) != len(default):
            raise ConfigurationError(
                f'{path}: {key} of {item["name"]} needs {len(default)} numbers.'
            )
    return DroneEntry(**values)


def team_from_entries(entries: tuple[DroneEntry, ...]) -> Team:
    """Build the filter's team from the entries of team.yaml."""
    return Team(
        names=tuple(entry.name for entry in entries),
        start=np.array([entry.start for entry in entries]),
        start_sigma=np.array([entry.start_sigma for entry in entries]),
        mounts=tuple(
            CameraMount.forward(np.array(e.camera_translation), np.array(e.camera_rotation))
            for e in entries
        ),
    )
