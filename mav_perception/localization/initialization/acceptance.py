"""Acceptance: whether a pose that was found takes the place of the one that the filter has."""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.localization.initialization.search import InitializedDrone
from mav_perception.types import FloatArray, TeamState

RIGHT_ODDS = 14.0
"""Log odds that a drone is where the filter has it, before anything speaks against it."""


def odds_to_beat(
    found: FloatArray, covariance: FloatArray, believed: FloatArray, uncertainty: FloatArray
) -> float:
    """Return the log odds by which the filter's pose must be beaten by another that was found.

    The pose has a normal distribution about the filter's, or, once in exp(`RIGHT_ODDS`) times, it
    is anything: the smaller of half the squared Mahalanobis distance and of these odds.

    Args:
        found: (4,) the other pose.
        covariance: (4, 4) of it.
        believed: (4,) pose of the filter.
        uncertainty: (4, 4) of it.
    """
    delta = found - believed
    delta[3] = wrap_angle(delta[3])
    squared = float(delta @ np.linalg.solve(covariance + uncertainty, delta))
    return min(squared / 2.0, RIGHT_ODDS)


def beats_filter(found: InitializedDrone, team: TeamState, margin: float) -> bool:
    """Tell whether a pose that was found is more certain, by a margin, than the filter's own."""
    believed, uncertainty = team.mean[found.drone], team.block(found.drone)
    return found.margin > margin + odds_to_beat(
        found.pose, found.covariance, believed, uncertainty
    )
