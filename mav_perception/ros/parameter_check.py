"""Parameter files against the declarations of all nodes, without starting one."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from mav_perception.errors import ConfigurationError
from mav_perception.parameters import check_ranges
from mav_perception.ros.parameter_reference import NODE_PARAMETERS


def check_parameter_file(path: Path) -> list[str]:
    """Return what is wrong with a ROS parameter file, one sentence each.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f'Cannot read parameter file {path}: {error}') from error
    if not isinstance(document, dict):
        return ['it is no mapping of nodes to `ros__parameters:`']
    problems = []
    for node, body in document.items():
        values = body.get('ros__parameters') if isinstance(body, dict) else None
        if not isinstance(values, dict):
            problems.append(f'{node} has no `ros__parameters:`')
            continue
        problems += [problem for name in values if (problem := _problem(name, values[name]))]
    return problems


def _problem(name: str, value: Any) -> str | None:
    """Return what is wrong with one value, None if some node takes it."""
    declared = [
        (kind, item)
        for kinds in NODE_PARAMETERS.values()
        for kind in kinds
        for item in fields(kind)
        if item.name == name
    ]
    if name == 'use_sim_time':
        return None
    if not declared:
        return f'{name} is a parameter of no node'
    for kind, item in declared:
        if type(value) is not type(item.default):
            wanted = type(item.default).__name__
            return f'{name} is {value!r}, it must be of type {wanted} (1.0, not 1, for a float)'
        try:
            check_ranges(kind(**{name: value}))
        except ConfigurationError as error:
            return str(error)
    return None
