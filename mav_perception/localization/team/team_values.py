"""Values of team.yaml: types and ranges, and what is wrong in a sentence."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from mav_perception.errors import ConfigurationError


def numbers_of(value: Any, count: int, what: str) -> tuple[float, ...]:
    """Return a value as so many numbers, or raise ConfigurationError."""
    try:
        numbers = () if isinstance(value, str) else tuple(float(v) for v in value)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != count:
        raise ConfigurationError(f'{what} needs {count} numbers, got {value!r}.')
    return numbers


def view_angles(value: Any, what: str) -> tuple[float, ...]:
    """Return half of a field of view, two angles, or raise ConfigurationError."""
    angles = numbers_of(value, 2, what)
    if not all(0.0 < angle <= np.pi for angle in angles):
        raise ConfigurationError(f'{what} is {list(angles)}: half of the view, 0 to pi radians.')
    return angles


def check_angles(angles: tuple[float, ...], what: str) -> None:
    """Raise ConfigurationError for angles beyond a turn: somebody gave degrees."""
    if any(abs(angle) > 2.0 * np.pi for angle in angles):
        raise ConfigurationError(
            f'{what} is {list(angles)}: angles are radians, and these look like degrees.'
        )


def check_ros_name(text: str, what: str, where: str) -> None:
    """Raise ConfigurationError for what cannot be part of a topic."""
    if not re.fullmatch('[A-Za-z_][A-Za-z0-9_]*', text):
        raise ConfigurationError(
            f'{what} {text!r} of {where} cannot be part of a topic: use letters, digits and _, '
            'and no digit first.'
        )


def check_topic(topic: Any, what: str, where: str) -> None:
    """Raise ConfigurationError for what is no topic."""
    if not (
        isinstance(topic, str)
        and re.fullmatch('/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*', topic)
    ):
        raise ConfigurationError(f'{what} {topic!r} of {where} is no topic, as vio/odometry is.')
