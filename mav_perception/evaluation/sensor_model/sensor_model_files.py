"""Read what `fit-sensor-model` wrote: the statistics, and the checks beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.errors import ConfigurationError, DataError
from mav_perception.evaluation.sensor_model.sensor_model import IN_TIME
from mav_perception.io.yaml_files import read_yaml
from mav_perception.parameters import check_ranges
from mav_perception.simulation.flight.sensors import SightingNoise


def load_sighting_noise(path: Path) -> SightingNoise:
    """Read the statistical detector of a file that `SensorModel.save` wrote.

    What the file does not know (bearings without a camera) keeps its default.

    Raises:
        ConfigurationError: unreadable file, or another one.
    """
    return SightingNoise(**_section(path, 'statistical_detector'))


def load_checks(path: Path) -> dict[str, Any] | None:
    """Read the checks that `fit-sensor-model` wrote beside a sensor model, None without them.

    Raises:
        DataError: the file is broken.
    """
    beside = path.with_suffix('.json')
    if not beside.is_file():
        return None
    try:
        checks: dict[str, Any] = json.loads(beside.read_text())
        checks['p_d_by_size'][0]['targets'], checks['by_place']['p_d'][0][0]
        for name in ('bearing_nis', 'range_nis'):
            if checks.get(name, {'mean': 0.0})['mean'] is None:  # nothing was left to check with
                del checks[name]
        return checks
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise DataError(
            f'{beside} has no checks of a sensor model ({error!r}): write it with '
            '`fit-sensor-model`, or move it away.'
        ) from error


def load_detection(path: Path) -> DetectionParameters:
    """Read how blobs become measurements, in the same way."""
    return check_ranges(DetectionParameters(**_section(path, 'detection_node')))


def load_time_correlation(path: Path) -> dict[str, float]:
    """Read how long misses and errors stay, as far as it was measured: for the joint filter."""
    section = _section(path, 'localization_node')
    return {name: section[name] for name in IN_TIME if name in section}


def _section(path: Path, node: str) -> dict[str, Any]:
    try:
        section = read_yaml(path, 'sensor model')[f'/**/{node}']['ros__parameters']
        return {str(name): float(value) for name, value in section.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f'{path} is no sensor model ({error!r}): write it with `fit-sensor-model`.'
        ) from error
