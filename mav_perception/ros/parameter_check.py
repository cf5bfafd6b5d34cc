"""Parameter files against the declarations of all nodes, without starting one."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from mav_perception.errors import ConfigurationError
from mav_perception.io.yaml_files import read_yaml
from mav_perception.parameters import check_ranges
from mav_perception.ros.parameter_reference import NODE_PARAMETERS

FILES = ('calibration_file', 'view_mask')
"""Parameters that name a file which must be there."""


def check_parameter_file(path: Path) -> list[str]:
    """Return what is wrong with a ROS parameter file, one sentence each.

    Raises:
        ConfigurationError: it cannot be read.
    """
    document = read_yaml(path, 'parameter file')
    if not isinstance(document, dict):
        return ['it is no mapping of nodes to `ros__parameters:`']
    return _problems(document, '')


def _problems(tree: dict[str, Any], name: str) -> list[str]:
    """Return what is wrong below a node or a namespace; both may be nested, and wildcards."""
    problems: list[str] = []
    if name.endswith('statistical_detector'):  # of `fit-sensor-model`, for benchmarks: no node
        return problems
    for key, body in tree.items():
        where = f'{name}/{str(key).strip("/")}' if name else str(key)
        if key == 'ros__parameters' and isinstance(body, dict):
            found = [_problem(known_kinds(name), item, body[item]) for item in body]
            problems += [f'{name}: {problem}' for problem in found if problem]
        elif isinstance(body, dict) and body:
            problems += _problems(body, where)
        else:
            problems.append(f'{where} has no `ros__parameters:`')
    return problems


def known_kinds(node: str) -> list[type]:
    """Return the parameter dataclasses of a node by its name, of all nodes for a wildcard."""
    last = node.rsplit('/', 1)[-1].removesuffix('_node')
    kinds = NODE_PARAMETERS.get(last)
    return list(kinds or {kind: None for kinds in NODE_PARAMETERS.values() for kind in kinds})


def _problem(kinds: list[type], name: str, value: Any) -> str | None:
    """Return what is wrong with one value, None if it is taken."""
    declared = [(kind, item) for kind in kinds for item in fields(kind) if item.name == name]
    if name == 'use_sim_time':
        return None
    if not declared:
        return f'{name} is no parameter of this node, or of any'
    for kind, item in declared:
        value = tuple(value) if isinstance(value, list) else value  # YAML has no tuples
        if type(value) is not type(item.default):
            wanted = type(item.default).__name__
            return f'{name} is {value!r}, it must be of type {wanted} (1.0, not 1, for a float)'
        if name in FILES and value and not Path(str(value)).is_file():
            return f'{name} is {value}, which is not there, seen from this folder'
        try:
            check_ranges(kind(**{name: value}))
        except ConfigurationError as error:
            return str(error)
    return None
