"""Yaw mixture: a yaw that nobody knows as several narrow ones, of which sightings pick the right.

A filter that linearises about a yaw known to a radian takes what it sees next for somebody else,
and is sure of it a second later. Gaussians narrow enough to linearise about stand for the wide one
(Alspach & Sorenson 1972, 'Nonlinear Bayesian estimation using Gaussian sum approximations').
"""

from __future__ import annotations

import numpy as np

from mav_perception.localization.hypotheses import JointHypotheses, mixture_moments, wrapped
from mav_perception.types import FloatArray

SPLIT_SIGMA = 0.3
"""A yaw less certain than this, radians, is not one to linearise about."""

SPACING, WIDEST_SPACING = np.pi / 6.0, 0.7
"""Radians between two yaws, each known to half of that: as wanted, and at most."""

TAIL = 3.0
"""Standard deviations to which the mixture reaches, at most once around."""


def yaw_components(variance: float, most: int) -> tuple[FloatArray, FloatArray, float]:
    """Return the mixture that stands for a normal distribution of a yaw about 0.

    Args:
        variance: of the yaw, rad^2.
        most: how many components there may be; with too few it stays one wide Gaussian.

    Returns:
        offsets (C,) in rad, weights (C,) that sum to 1, and the variance of each component.
    """
    reach = min(np.pi, TAIL * np.sqrt(variance))
    count = min(most, int(np.ceil(2.0 * reach / SPACING)))
    step = 2.0 * reach / count
    if step > WIDEST_SPACING:
        return np.zeros(1), np.ones(1), variance
    own = (step / 2.0) ** 2
    offsets = step * (np.arange(count) + 0.5) - reach
    weights = np.exp(-0.5 * offsets**2 / max(variance - own, own))
    return offsets, weights / weights.sum(), own


def with_yaw_mixture(
    hypotheses: JointHypotheses, drone: int, drones: int, variance: float, most: int
) -> JointHypotheses:
    """Add an error to the yaw of a drone, by a mixture over the yaw that results.

    With P the covariance after the error, T its variance of the yaw and g = P e / T, a component
    at offset o with the variance s^2 has the mean x + g o and the covariance P - g (T - s^2) g'.
    Where there is no room to split every hypothesis, all become one with their moments first: the
    yaw of another drone that is a mixture still is wide again then.

    Args:
        hypotheses: K of them.
        drone: whose yaw.
        drones: N.
        variance: of the error, rad^2.
        most: how many hypotheses there may be.
    """
    yaw = 4 * drone + 3
    total = float(hypotheses.covariances[:, yaw, yaw].max()) + variance
    if len(hypotheses) * len(yaw_components(total, most)[0]) > most:
        hypotheses = merged(hypotheses, drones)
        total = float(hypotheses.covariances[0, yaw, yaw]) + variance
    offsets, weights, own = yaw_components(total, most)
    parent = np.repeat(np.arange(len(hypotheses)), len(offsets))
    split = hypotheses.taken(parent, np.outer(hypotheses.weights, weights).ravel())
    split.covariances[:, yaw, yaw] += variance
    width = split.covariances[:, yaw, yaw].copy()
    gain = split.covariances[:, :, yaw] / width[:, None]
    moved = split.means + gain * np.tile(offsets, len(hypotheses))[:, None]
    less = np.maximum(width - own, 0.0)[:, None, None]
    narrow = split.covariances - less * gain[:, :, None] * gain[:, None, :]
    split.means[:], split.covariances[:] = wrapped(moved, drones), narrow
    return split.taken(np.argsort(-split.weights, kind='stable'))


def merged(hypotheses: JointHypotheses, drones: int) -> JointHypotheses:
    """Return one hypothesis with the moments of all."""
    mean, covariance = mixture_moments(
        hypotheses.weights, hypotheses.means, hypotheses.covariances, drones
    )
    detectable = np.tensordot(hypotheses.weights, hypotheses.detectable, 1)
    return JointHypotheses(
        weights=np.ones(1),
        means=mean[None],
        covariances=covariance[None],
        existence=hypotheses.mean_existence[None],
        detectable=detectable[None],
    )
