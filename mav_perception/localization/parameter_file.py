"""Parameters of the joint filter out of ROS parameter files, as localization_node reads them."""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mav_perception.errors import ConfigurationError
from mav_perception.io.yaml_files import read_yaml
from mav_perception.localization.parameters import FilterParameters
from mav_perception.parameters import check_ranges
from mav_perception.resources import find_share

NODE = 'localization_node'

MISTYPED = 0.9
"""Likeness to a parameter from which on another name is a mistake, not one of another node."""


def load_parameters(path: Path | None = None) -> FilterParameters:
    """Return the parameters that are shipped, and over them those of a file.

    Args:
        path: ROS parameter file, such as of `fit-sensor-model`; None for those that are shipped.

    Raises:
        ConfigurationError: it is no parameter file, a value is wrong, or a name nearly that of a
            parameter.
    """
    shipped = find_share('config', 'localization.yaml')
    values: dict[str, Any] = {}
    for file in (shipped, path) if path else (shipped,):
        values |= _checked(node_parameters(file, NODE), file)
    return check_ranges(FilterParameters(**values))


def _checked(told: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return those that are of the filter, or raise ConfigurationError; others are the node's."""
    kinds = {item.name: type(item.default) for item in fields(FilterParameters)}
    for name, value in told.items():
        near = get_close_matches(str(name), kinds, n=1, cutoff=MISTYPED)
        if name not in kinds:
            if near:
                raise ConfigurationError(f'{path}: no parameter {name}: did you mean {near[0]}?')
            continue
        right = (int, float) if kinds[name] is float else kinds[name]
        if not isinstance(value, right) or isinstance(value, bool) != (kinds[name] is bool):
            raise ConfigurationError(
                f'{path}: {name} is {value!r}, it must be of type {kinds[name].__name__}.'
            )
    return {name: value for name, value in told.items() if name in kinds}


def changed_parameters(parameters: FilterParameters) -> dict[str, Any]:
    """Return those that differ from what is shipped in config/localization.yaml."""
    shipped = load_parameters()
    pairs = ((item.name, getattr(parameters, item.name)) for item in fields(FilterParameters))
    return {name: value for name, value in pairs if value != getattr(shipped, name)}


def parameter_words(parameters: FilterParameters) -> str:
    """Return the same in a line, for reports."""
    changed = changed_parameters(parameters)
    return ', '.join(f'{name} = {value}' for name, value in changed.items()) or 'as shipped'


def node_parameters(path: Path, node: str) -> dict[str, Any]:
    """Return what a ROS parameter file says for a node, by its name or for all.

    Raises:
        ConfigurationError: it is no parameter file.
    """
    document = read_yaml(path, 'parameter file')
    try:
        ends = ('**', node)  # in any namespace
        sections = [s for key, s in document.items() if str(key).rpartition('/')[2] in ends]
        told = [section.get('ros__parameters', {}) for section in sections]
        return {key: value for part in told for key, value in part.items()}
    except AttributeError as error:
        raise ConfigurationError(
            f'{path} is no ROS parameter file ({error}): write `/**: ros__parameters: ...`.'
        ) from error
