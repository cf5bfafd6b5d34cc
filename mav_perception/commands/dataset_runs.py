"""Recordings of data sets, with the parameters and the axes that belong to them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mav_perception.errors import ConfigurationError
from mav_perception.io.yaml_files import read_yaml
from mav_perception.resources import find_share

if TYPE_CHECKING:
    from mav_perception.localization.parameters import FilterParameters
    from mav_perception.recordings.recording import Recording

    DatasetRun = tuple[Recording, FilterParameters, tuple[int, ...]]


def mrclam_run(folder: Path, clutter: float, seconds: float | None, seed: int) -> DatasetRun:
    """Return an MR.CLAM run, its parameters, and which of x, y, z, yaw count for the NEES.

    Raises:
        ConfigurationError: `clutter` is no share.
        DataError: a file is missing or broken.
    """
    from mav_perception.datasets.mrclam import load_mrclam, mrclam_parameters

    if not 0.0 <= clutter <= 1.0:
        raise ConfigurationError(f'--clutter is a share from 0 to 1, not {clutter}.')
    return load_mrclam(folder, clutter, seconds, seed), mrclam_parameters(clutter), (0, 1, 3)


def bag_run(folder: Path, team: Path, params: Path | None, seconds: float | None) -> DatasetRun:
    """Return a bag with true poses, and the parameters that the joint filter flies with.

    Args:
        folder: of the bag.
        team: team file.
        params: parameter file over that which is shipped, such as of `fit-sensor-model`.
        seconds: of the flight that are used, None for all.

    Raises:
        ConfigurationError: the team or parameter file is wrong.
        DataError: no bag, or a topic is missing in it.
    """
    from mav_perception.localization.parameters import FilterParameters
    from mav_perception.parameters import check_ranges
    from mav_perception.recordings.bag_recording import load_bag
    from mav_perception.types import nanoseconds

    told = node_parameters(find_share('config', 'localization.yaml'), 'localization_node')
    told |= node_parameters(params, 'localization_node') if params else {}
    known = {item.name for item in fields(FilterParameters)}
    parameters = FilterParameters(**{k: v for k, v in told.items() if k in known})
    recording = load_bag(folder, team)
    if seconds is not None:
        recording = recording.until(recording.begin_ns + nanoseconds(seconds))
    return recording, check_ranges(parameters), (0, 1, 2, 3)


def node_parameters(path: Path, node: str) -> dict[str, Any]:
    """Return what a ROS parameter file says for a node, by its name or for all.

    Raises:
        ConfigurationError: it is no parameter file.
    """
    document = read_yaml(path, 'parameter file')
    try:
        sections = [document.get(key, {}) for key in ('/**', node, f'/{node}', f'/**/{node}')]
        told = [section.get('ros__parameters', {}) for section in sections]
        return {key: value for part in told for key, value in part.items()}
    except AttributeError as error:
        raise ConfigurationError(
            f'{path} is no ROS parameter file ({error}): write `/**: ros__parameters: ...`.'
        ) from error


def euroc_run(
    folder: Path, flights: str, vio: str, noise: str, seconds: float | None, seed: int
) -> DatasetRun:
    """Return EuRoC flights, joined by commas, as a team; else as `mrclam_run`.

    Raises:
        ConfigurationError: fewer than two flights, or one twice.
        DataError: a file is missing or broken.
    """
    from mav_perception.datasets.euroc import euroc_parameters, load_euroc

    names = tuple(flights.split(','))
    if len(names) < 2 or len(set(names)) != len(names):
        raise ConfigurationError(f'--flights needs two or more different ones, not {names}.')
    recording = load_euroc(folder, names, vio, noise, seconds, seed)
    return recording, euroc_parameters(noise), (0, 1, 2, 3)
