"""team.yaml: who flies, in which namespaces, from where, with which cameras."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mav_perception.errors import ConfigurationError
from mav_perception.io.files import write_text
from mav_perception.io.yaml_files import read_yaml
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team import Team
from mav_perception.localization.team.team_values import (
    check_angles,
    check_ros_name,
    check_topic,
    numbers_of,
    view_angles,
)
from mav_perception.resources import find_share
from mav_perception.topics import CAMERA_INFO, IMAGE, ODOMETRY, in_namespace


@dataclass(frozen=True)
class CameraEntry:
    """A further camera of a drone in team.yaml.

    Attributes:
        name: its nodes run in the namespace of this name below the drone's.
        translation, rotation: metres, and roll, pitch, yaw in radians from looking forward.
        half_view: half the horizontal and vertical field of view, radians; empty for those of
            the filter parameters.
    """

    name: str
    translation: tuple[float, ...]
    rotation: tuple[float, ...] = (0.0, 0.0, 0.0)
    half_view: tuple[float, ...] = ()

    def mount(self) -> CameraMount:
        """Return the mount for the filter."""
        half_view = (self.half_view[0], self.half_view[1]) if self.half_view else None
        return CameraMount.forward(
            np.array(self.translation), np.array(self.rotation), self.name, half_view
        )


@dataclass(frozen=True)
class DroneEntry:
    """One drone of team.yaml: what the launch files and the localization node need of it.

    Attributes:
        name: of the drone.
        namespace: of its nodes, relative to that of the team unless it begins with a slash.
        start, start_sigma: x, y, z in metres and yaw in radians in map, and their standard
            deviations; NaN where the start is not known.
        camera_translation, camera_rotation: of its first camera in its body frame: metres, and
            roll, pitch, yaw in radians from looking forward.
        camera_half_view: half the horizontal and vertical field of view, radians; empty for those
            of the filter parameters.
        more_cameras: its further cameras.
        span: its size over the rotors, metres; 0 where nobody measured it.
        odometry, image, camera_info: topics, relative to the namespace.
    """

    name: str
    namespace: str
    start: tuple[float, ...]
    start_sigma: tuple[float, ...]
    camera_translation: tuple[float, ...]
    camera_rotation: tuple[float, ...]
    camera_half_view: tuple[float, ...] = ()
    more_cameras: tuple[CameraEntry, ...] = ()
    span: float = 0.0
    odometry: str = ODOMETRY
    image: str = IMAGE
    camera_info: str = CAMERA_INFO

    @property
    def cameras(self) -> tuple[CameraEntry, ...]:
        """Return all cameras; the first one has no name."""
        first = CameraEntry(
            '', self.camera_translation, self.camera_rotation, self.camera_half_view
        )
        return (first, *self.more_cameras)

    def camera_namespace(self, camera: CameraEntry) -> str:
        """Return where the nodes and topics of a camera are: mav1, or mav1/rear."""
        return f'{self.namespace}/{camera.name}' if camera.name else self.namespace


UNKNOWN = 'unknown'
"""What team.yaml says as `start:` of a drone that has to be found."""

DEFAULTS: dict[str, Any] = {
    'start': [0.0, 0.0, 0.0, 0.0],
    'start_sigma': [0.2, 0.2, 0.1, 0.05],
    'camera_translation': [0.1, 0.0, 0.0],
    'camera_rotation': [0.0, 0.0, 0.0],
}


def span_of_others(entries: tuple[DroneEntry, ...], observer: DroneEntry) -> float:
    """Return the mean span of the drones that one can see; 0 if team.yaml does not tell all.

    Sightings carry no names, so one size has to do for all of them.
    """
    spans = [entry.span for entry in entries if entry is not observer]
    return float(np.mean(spans)) if spans and min(spans) > 0.0 else 0.0


def team_path(path: str) -> Path:
    """Return the path of a team file; an empty one means the example that is shipped."""
    return Path(path).expanduser() if path else find_share('config', 'team.yaml')


def save_team(entries: tuple[DroneEntry, ...], path: Path) -> None:
    """Write team.yaml, or raise OutputError."""
    write_text(path, team_text(entries))


def team_text(entries: tuple[DroneEntry, ...]) -> str:
    """Return what team.yaml says of a team."""
    drones = []
    for entry in entries:
        values = asdict(entry)
        more = {camera.pop('name'): camera for camera in values.pop('more_cameras')}
        drones.append(values | ({'more_cameras': more} if more else {}))
    plain = json.loads(json.dumps({'drones': drones}))  # tuples to lists, at every depth
    return str(yaml.safe_dump(plain, sort_keys=False))


def load_team(path: Path) -> tuple[DroneEntry, ...]:
    """Read team.yaml: `defaults:` for all, then a list `drones:` of names and what differs.

    Raises:
        ConfigurationError: unreadable file, unknown key, wrong number of values, double name.
    """
    document = read_yaml(path, 'team file')
    if not isinstance(document, dict) or not isinstance(document.get('drones'), list):
        raise ConfigurationError(f'{path} needs a list `drones:` with a `name:` each.')
    given = document.get('defaults') or {}
    if not isinstance(given, dict):
        raise ConfigurationError(f'{path}: `defaults:` must be `key: value` each, got {given!r}.')
    defaults = DEFAULTS | given
    try:
        entries = tuple(_entry(defaults, item) for item in document['drones'])
    except ConfigurationError as error:
        raise ConfigurationError(f'{path}: {error}') from error
    spaces = [
        in_namespace(e.camera_namespace(camera), '') for e in entries for camera in e.cameras
    ]
    for attribute, values in (('name', [e.name for e in entries]), ('namespace', spaces)):
        if len(set(values)) != len(values):
            raise ConfigurationError(
                f'{path}: two drones or cameras share one {attribute}: {values}.'
            )
    return entries


def _check_filled(item: Any) -> None:
    """Raise ConfigurationError for a drone without a name, or with a key and nothing behind it."""
    if not isinstance(item, dict) or not item.get('name'):
        raise ConfigurationError(f'every drone needs a `name:`, got {item!r}.')
    if isinstance(item['name'], bool):
        raise ConfigurationError(
            f'name {item["name"]!r}: YAML reads on, yes and true as a truth value. Quote it.'
        )
    if empty := [key for key, value in item.items() if value is None]:
        raise ConfigurationError(f'{empty[0]} of {item["name"]} is empty: fill it or drop it.')


def _entry(defaults: dict[str, Any], item: Any) -> DroneEntry:
    _check_filled(item)
    values = defaults | {'namespace': str(item['name'])} | item
    if values['start'] == UNKNOWN:
        values |= {'start': DEFAULTS['start'], 'start_sigma': [float('nan')] * 4}
    _check_keys(values, DroneEntry, item['name'])
    values['namespace'] = str(values['namespace']).rstrip('/')
    check_ros_name(str(values['name']), 'name', item['name'])
    for part in values['namespace'].removeprefix('/').split('/'):
        check_ros_name(part, 'namespace', item['name'])
    for key in ('odometry', 'image', 'camera_info'):
        check_topic(values.get(key, ODOMETRY), key, item['name'])
    (values['span'],) = numbers_of([values.get('span', 0.0)], 1, f'span of {item["name"]}')
    if not 0.0 <= values['span'] < 100.0:
        raise ConfigurationError(f'span of {item["name"]} is {values["span"]}, give it in metres.')
    for key, default in DEFAULTS.items():
        values[key] = numbers_of(values[key], len(default), f'{key} of {item["name"]}')
    check_angles(values['start'][3:], f'yaw of start of {item["name"]}')
    check_angles(values['start_sigma'][3:], f'yaw of start_sigma of {item["name"]}')
    check_angles(values['camera_rotation'], f'camera_rotation of {item["name"]}')
    half_view = values.get('camera_half_view') or ()
    if half_view:
        half_view = view_angles(half_view, f'camera_half_view of {item["name"]}')
    cameras = values.get('more_cameras') or {}
    if not isinstance(cameras, dict):
        raise ConfigurationError(f'more_cameras of {item["name"]} must be `NAME: {{...}}` each.')
    absolute = [k for k in ('image', 'camera_info') if str(values.get(k, '')).startswith('/')]
    if cameras and absolute:
        raise ConfigurationError(
            f'{absolute[0]} of {item["name"]} is absolute, so that all its cameras would share '
            'it: give a topic relative to the namespace of each camera.'
        )
    more = tuple(_camera(item['name'], name, given) for name, given in cameras.items())
    return DroneEntry(**values | {'camera_half_view': half_view, 'more_cameras': more})


def _camera(drone: str, name: str, given: Any) -> CameraEntry:
    where = f'camera {name!r} of {drone}'
    if not isinstance(given, dict) or 'translation' not in given:
        raise ConfigurationError(f'{where} needs `translation:` and `rotation:`, got {given!r}.')
    _check_keys(given | {'name': name}, CameraEntry, where)
    check_ros_name(str(name), 'name', where)
    sizes = {'translation': 3, 'rotation': 3, 'half_view': 2}
    numbers = {k: numbers_of(v, sizes[k], f'{k} of {where}') for k, v in given.items()}
    if 'half_view' in numbers:
        numbers['half_view'] = view_angles(numbers['half_view'], f'half_view of {where}')
    check_angles(numbers.get('rotation', ()), f'rotation of {where}')
    return CameraEntry(name, **numbers)


def _check_keys(values: dict[str, Any], kind: type, where: str) -> None:
    known = [f.name for f in fields(kind)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigurationError(
            f'unknown key {unknown[0]!r} of {where}; known keys: {", ".join(known)}.'
        )


def team_from_entries(entries: tuple[DroneEntry, ...]) -> Team:
    """Build the filter's team from the entries of team.yaml."""
    return Team(
        names=tuple(entry.name for entry in entries),
        start=np.array([entry.start for entry in entries]),
        start_sigma=np.array([entry.start_sigma for entry in entries]),
        mounts=tuple(tuple(camera.mount() for camera in entry.cameras) for entry in entries),
        start_at_origin=(True,) * len(entries),
    )
