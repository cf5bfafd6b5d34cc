"""Scenario files: those that are shipped, by name, and a user's own, by path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mav_perception.errors import ConfigurationError, MavPerceptionError, did_you_mean
from mav_perception.io.yaml_files import read_yaml
from mav_perception.resources import share_folders

if TYPE_CHECKING:
    from mav_perception.simulation.flight.scenario import Scenario

FOLDER = 'config/scenarios'

NUMBER = re.compile(r'[-+]?[0-9]+(\.[0-9]*)?')
EXPONENT = re.compile(NUMBER.pattern + '[eE][-+]?[0-9]+')
"""Numbers without a sign in the exponent, which YAML 1.1 has not."""


def scenario_names() -> tuple[str, ...]:
    """Return the names of the shipped scenarios."""
    return tuple(sorted({p.stem for f in share_folders(FOLDER) for p in f.glob('*.yaml')}))


def load_scenario(name: str, **settings: Any) -> Scenario:
    """Read a scenario: what its file leaves out is as in `Scenario`.

    Args:
        name: a shipped one, or the path of a YAML file.
        settings: attributes that win over the file; None leaves the file's.

    Raises:
        ConfigurationError: no such file, a key or value that does not fit, or what cannot be
            flown.
    """
    import dacite  # comes with the `sim` extra; to list names must work without

    from mav_perception.simulation.flight.scenario import Scenario

    path = _path(name)
    values = read_yaml(path, 'scenario') or {}
    if not isinstance(values, dict):
        raise ConfigurationError(f'{path} must be a YAML mapping of scenario settings.')
    given = {key: value for key, value in settings.items() if value is not None}
    try:
        return dacite.from_dict(
            Scenario,
            _tuples(values | given),
            dacite.Config(strict=True, type_hooks={float: _number}),
        )
    except dacite.WrongTypeError as error:
        quoted = isinstance(error.value, str) and NUMBER.fullmatch(error.value)
        hint = '; numbers stand without quotes' if quoted else ''
        raise ConfigurationError(f'{path}: {error}{hint}.') from error
    except (dacite.DaciteError, MavPerceptionError, TypeError, ValueError) as error:
        raise ConfigurationError(f'{path}: {error}') from error


def _number(value: Any) -> Any:
    """Return a YAML number as float; PyYAML takes 1.0e9 for a word. Dacite refuses other words."""
    if isinstance(value, bool):
        return str(value)  # dacite would take it for a number
    number = isinstance(value, int) or (isinstance(value, str) and EXPONENT.fullmatch(value))
    return float(value) if number else value


def _path(name: str) -> Path:
    for folder in share_folders(FOLDER):
        if (folder / f'{name}.yaml').is_file():
            return folder / f'{name}.yaml'
    if Path(name).suffix:
        return Path(name).expanduser()
    raise ConfigurationError(
        f'No scenario {name!r}{did_you_mean(name, scenario_names())} Give the path of a YAML '
        'file, or one of '
        f'{", ".join(scenario_names())}.'
    )


def _tuples(value: Any) -> Any:
    """Return plain values with tuples for lists, at every depth."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
