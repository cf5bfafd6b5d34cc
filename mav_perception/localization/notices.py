"""What a person is told when the filter loses, finds or corrects the pose of a drone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mav_perception.localization.initialization.search import InitializedDrone
from mav_perception.localization.integrity import Correction
from mav_perception.types import Notice

MENTIONED = 0.5
"""A drone that a correction moves farther is named, metres."""


def lost_notice(name: str) -> Notice:
    """Return the notice that a drone is not where the filter has it."""
    return Notice(
        'drone_lost',
        f'{name} is not where the filter has it: those who should see it do not. Its pose is '
        'withdrawn until it is found again.',
    )


def found_notice(name: str, found: InitializedDrone) -> Notice:
    """Return the notice that the search has found a drone."""
    x, y, z, yaw = (float(v) for v in found.pose)
    return Notice(
        'drone_found',
        f'{name} is at {x:.2f}, {y:.2f}, {z:.2f} m, yaw {np.degrees(yaw):.0f} degrees (log odds '
        f'{found.margin:.0f}).',
        {'drone': found.drone, 'margin': found.margin},
    )


def correction_notice(names: Sequence[str], better: Correction) -> Notice:
    """Return the notice that another explanation took the place of the filter's own.

    Args:
        names: of the drones.
        better: the explanation that was taken.
    """
    moved = [
        f'{name} by {metres:.1f} m'
        for name, metres in zip(names, better.moved, strict=True)
        if metres > MENTIONED
    ]
    return Notice(
        'pose_corrected',
        'The sightings fit the poses better to which odometry alone led in the last seconds (log '
        f'odds {better.log_odds:.0f}). Moved: {", ".join(moved) or "no drone far"}. Drones may '
        'have been taken for each other or for a static object.',
        {'moved': better.moved, 'log_odds': better.log_odds},
    )
