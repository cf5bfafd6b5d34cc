"""Recordings of data sets, with the parameters and the axes that belong to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mav_perception.errors import ConfigurationError

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


def bag_run(
    folder: Path,
    team: Path,
    params: Path | None,
    seconds: float | None,
    begin: float = 0.0,
    remap: dict[str, str] | None = None,
) -> DatasetRun:
    """Return the flight of a bag, and the parameters that the joint filter flies with.

    Args:
        folder: of the bag.
        team: team file.
        params: parameter file over that which is shipped, such as of `fit-sensor-model`.
        seconds: of the flight that are used, None for all.
        begin: seconds of the bag that are left out.
        remap: topics of the bag -> other names.

    Raises:
        ConfigurationError: the team or parameter file is wrong.
        DataError: no bag, or a topic is missing in it.
    """
    from mav_perception.localization.parameter_file import load_parameters
    from mav_perception.recordings.bag_recording import load_bag
    from mav_perception.types import nanoseconds

    parameters = load_parameters(params)
    recording = load_bag(folder, team, remap or {}, begin)
    if seconds is not None:
        recording = recording.until(recording.begin_ns + nanoseconds(seconds))
    return recording, parameters, (0, 1, 2, 3)


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
