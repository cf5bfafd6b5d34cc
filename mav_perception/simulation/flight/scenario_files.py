"""Scenario files: those that are shipped, by name, and a user's own, by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mav_perception.errors import ConfigurationError, did_you_mean
from mav_perception.io.settings import settings_of
from mav_perception.io.yaml_files import read_yaml
from mav_perception.resources import share_folders

if TYPE_CHECKING:
    from mav_perception.simulation.flight.scenario import Scenario

FOLDER = 'config/scenarios'


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
    # To list names must work without what the `sim` extra brings.
    from mav_perception.simulation.flight.scenario import Scenario

    path = _path(name)
    values = read_yaml(path, 'scenario') or {}
    if not isinstance(values, dict):
        raise ConfigurationError(f'{path} must be a YAML mapping of scenario settings.')
    given = {key: value for key, value in settings.items() if value is not None}
    return settings_of(Scenario, values | given, path)


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
