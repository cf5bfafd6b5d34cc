"""Figures in words, with their units, two significant digits each."""

from __future__ import annotations

import math
from typing import Any

WORDS: dict[str, tuple[str, str]] = {
    'team_shape': ('RMSE of the shape of the team', 'm'),
    'vio_team_shape': ('the same by VIO alone', 'm'),
    'settled': ('RMSE of the shape after the first 10 s', 'm'),
    'position': ('RMSE in map', 'm'),
    'vio_position': ('the same by VIO alone', 'm'),
    'drone_position': ('RMSE in map of each drone', 'm'),
    'drone_vio_position': ('the same by VIO alone', 'm'),
    'anees': ('NEES per degree of freedom, about 1 if the covariance is true', ''),
    'latency_ms_p50': ('image to pose, median', 'ms'),
    'latency_ms_p95': ('image to pose, 95 % of all', 'ms'),
    'update_ms': ('computing time of a frame, median', 'ms'),
    'update_ms_median': ('computing time of a frame, median', 'ms'),
    'images_dropped': ('images dropped: a newer one came first', ''),
    'images': ('images taken', ''),
    'poses': ('images that led to a pose', ''),
    'superseded': ('images used when a newer pose was out already', ''),
    'without_pose': ('frames of a drone without a pose: they serve the search', ''),
    'refused': ('frames refused', ''),
    'waiting': ('frames that wait for odometry', ''),
    'frames_lost': ('frames lost on the way', ''),
    'false_share': ('share of false sightings', ''),
    'real_time_factor': ('simulated over real time, whole flight', ''),
    'beats_vio': ('the team beats VIO alone', ''),
    'start_seconds': ('every drone localized after', 's'),
    'coverage': ('share of the time with a pose', ''),
    'initializations': ('drones found by search', ''),
    'wrong_initializations': ('drones found at a wrong place', ''),
    'commits': ('drones found by search', ''),
    'wrong_commits': ('drones found at a wrong place', ''),
    'seconds': ('computing time of all filters', 's'),
    'cpdaf': ('RMSE of the shape, CPDAF', 'm'),
    'labelled': ('RMSE of the shape, identities known', 'm'),
    'dead_reckoning': ('RMSE of the shape, VIO alone', 'm'),
}
"""Key of summary.json -> what it is, and its unit."""


def words_of(key: str) -> str:
    """Return what a figure is, with its unit."""
    text, unit = WORDS.get(key, (key.replace('_', ' '), ''))
    return f'{text} [{unit}]' if unit else text


def text_of(value: Any) -> str:
    """Return a figure as a person reads it: numbers with two significant digits, - for none."""
    if isinstance(value, (list, tuple)):
        return ', '.join(map(text_of, value))
    if isinstance(value, bool):
        return 'yes' if value else 'NO'
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return '-'
    return two_digits(value) if isinstance(value, float) else str(value)


def two_digits(value: float) -> str:
    """Return a number with two significant digits, and all of those before the point."""
    if not math.isfinite(value):
        return '-'
    rounded = float(f'{value:.1e}')
    if abs(rounded) >= 10.0 or rounded == 0.0:
        return f'{value:.0f}'
    return f'{rounded:.{1 - math.floor(math.log10(abs(rounded)))}f}'
