"""Yaw mixture: a yaw that nobody knows as several narrow ones, of which sightings pick the right.

A filter that linearises about a yaw known to a radian takes what it sees next for somebody else,
and is sure of it a second later. Gaussians narrow enough to linearise about stand for the wide one
(Alspach & Sorenson 1972, 'Nonlinear Bayesian estimation using Gaussian sum approximations').
"""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.types import FloatArray

MAX_YAW_SIGMA = 0.25
"""A yaw less certain than this, radians, is not one to linearise about."""

SPACING = np.pi / 6.0
"""Radians between two yaws at most; each is known to half of that."""

TAIL = 3.0
"""Standard deviations to which the mixture reaches, at most once around."""

FEWEST = 3
"""Fewer yaws than this do not stand for a wide one."""


def yaw_components(variance: float, most: int) -> tuple[FloatArray, FloatArray, float]:
    """Return the mixture that stands for a normal distribution of a yaw about 0.

    Args:
        variance: of the yaw, rad^2.
        most: how many components there may be; at least `FEWEST`.

    Returns:
        offsets (C,) in rad, weights (C,) that sum to 1, and the variance of each component.
    """
    reach = min(np.pi, TAIL * np.sqrt(variance))
    count = min(most, int(np.ceil(2.0 * reach / SPACING)))
    step = 2.0 * reach / count
    own = (step / 2.0) ** 2
    offsets = step * (np.arange(count) + 0.5) - reach
    weights = np.exp(-0.5 * offsets**2 / max(variance - own, own))
    return offsets, weights / weights.sum(), own


def with_yaw_mixture(
    hypotheses: JointHypotheses, drone: int, variance: float, most: int
) -> JointHypotheses:
    """Add a wide error to the yaw of a drone, by a mixture where there is room for one.

    The heaviest hypotheses are split, as many as the mixture leaves room for; the others go.

    Args:
        hypotheses: K of them.
        drone: whose yaw.
        variance: of the error, rad^2.
        most: how many hypotheses there may be.
    """
    offsets, weights, own = np.zeros(1), np.ones(1), variance
    if most >= FEWEST:
        offsets, weights, own = yaw_components(variance, most)
    kept = np.arange(min(len(hypotheses), max(1, most // len(offsets))))
    weight = np.outer(hypotheses.weights[kept], weights).ravel()
    order = np.argsort(-weight, kind='stable')
    split = hypotheses.taken(np.repeat(kept, len(offsets))[order], weight[order])
    yaw = 4 * drone + 3
    split.means[:, yaw] = wrap_angle(split.means[:, yaw] + np.tile(offsets, len(kept))[order])
    split.covariances[:, yaw, yaw] += own
    return split
