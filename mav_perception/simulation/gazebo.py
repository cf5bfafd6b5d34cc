"""What Gazebo needs for a team: a model and a bridge of every drone, with names of their own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from mav_perception.errors import ConfigurationError
from mav_perception.resources import find_share

PLACEHOLDER = 'DRONE'
"""Stands for a drone's name in worlds/models/quadrotor/model.sdf and gz_bridge.yaml."""

NAME = re.compile(r'[a-z][a-z0-9_]*')


def drone_model(name: str) -> str:
    """Return the SDF of one drone; every topic and frame in it begins with its name."""
    _check_names([name])
    text = find_share('worlds/models/quadrotor', 'model.sdf').read_text()
    return text.replace(PLACEHOLDER, name)


def world_name(path: Path) -> str:
    """Return the name by which Gazebo knows a world: not that of its file.

    Raises:
        ConfigurationError: the file has no world.
    """
    try:
        world = ElementTree.parse(path).getroot().find('world')
    except (OSError, ElementTree.ParseError) as error:
        raise ConfigurationError(f'Cannot read world {path}: {error}') from error
    if world is None or not world.get('name'):
        raise ConfigurationError(f'{path} has no <world name="...">.')
    return str(world.get('name'))


def bridge_entries(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the configuration of ros_gz_bridge for a team: the clock once, the rest a drone."""
    _check_names(names)
    entries = yaml.safe_load(find_share('config/gazebo', 'gz_bridge.yaml').read_text())
    result = []
    for entry in entries:
        if PLACEHOLDER not in entry['gz_topic_name']:
            result.append(entry)
    for name in names:
        for entry in entries:
            if PLACEHOLDER in entry['gz_topic_name']:
                filled = {
                    key: value.replace(PLACEHOLDER, name) if isinstance(value, str) else value
                    for key, value in entry.items()
                }
                result.append(filled)
    return result


def _check_names(names: Sequence[str]) -> None:
    """Raise ConfigurationError for names that ROS or Gazebo cannot have, or that collide."""
    for name in names:
        if not NAME.fullmatch(name):
            raise ConfigurationError(
                f'{name!r} cannot name a drone: use lower-case letters, digits and _, and begin '
                'with a letter.'
            )
    if len(set(names)) != len(names):
        raise ConfigurationError(f'Two drones of {list(names)} share one name.')
