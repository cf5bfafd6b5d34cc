"""Fit models of the number of false sightings over time, and predict frames with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logit
from scipy.stats import poisson

from mav_perception.errors import DataError
from mav_perception.evaluation.clutter.clutter_over_time import ClutterOverTime
from mav_perception.types import FloatArray

MIN_FRAMES = 20


def check_counts(series: Sequence[FloatArray]) -> None:
    """Raise DataError unless there are counts to fit to."""
    frames = sum(len(counts) for counts in series)
    if frames < MIN_FRAMES:
        raise DataError(f'{frames} frames are too few for a clutter model: give {MIN_FRAMES}.')
    if any(not np.isfinite(counts).all() or (counts < 0).any() for counts in series):
        raise DataError('Counts of false sightings must be finite and not negative.')


def fit_clutter_over_time(series: Sequence[FloatArray], evaluations: int = 150) -> ClutterOverTime:
    """Fit the deep Poisson model by maximum likelihood.

    Args:
        series: (T,) counts of false sightings in consecutive frames, one array a camera.
        evaluations: of the likelihood from each start, at most.

    Raises:
        DataError: too few frames, or counts that are none.
    """
    check_counts(series)
    mean = max(float(np.concatenate(series).mean()), 1e-3)

    def model(x: FloatArray) -> ClutterOverTime:
        shapes = np.exp(np.clip(x[1:3], -3.0, 5.0))
        memories = expit(np.clip(x[3:], -4.0, 6.0))
        return ClutterOverTime(
            rate=mean * float(np.exp(x[0])),
            top_shape=float(shapes[0]),
            shape=float(shapes[1]),
            top_memory=float(memories[0]),
            memory=float(memories[1]),
        )

    def loss(x: FloatArray) -> float:
        return -sum(model(x).log_likelihood(counts) for counts in series)

    def climb(top_memory: float, memory: float) -> Any:
        begin = np.array([0.0, 0.0, 1.0, logit(top_memory), logit(memory)])
        simplex = np.vstack([begin, begin + np.diag([0.4, 1.0, 1.0, 1.5, 1.5])])
        options = {'maxfev': evaluations, 'initial_simplex': simplex, 'xatol': 0.02, 'fatol': 0.1}
        return minimize(loss, begin, method='Nelder-Mead', options=options)

    # Slow and quick surroundings are both worth a try: the likelihood has more than one top.
    found = min((climb(0.98, 0.5), climb(0.8, 0.1)), key=lambda result: result.fun)
    return model(found.x)


def moving_average_log_likelihood(
    counts: FloatArray, memory: float, rate: float, weight: float = 5.0
) -> float:
    """Return log p of counts predicted by an exponential moving average that starts at a rate.

    Args:
        counts: (T,) of consecutive frames.
        memory: share of the past that is left after a frame, 0 to 1.
        rate: before the first frame.
        weight: frames that the rate before the first one counts as.
    """
    total, seen, frames = 0.0, weight * rate, weight
    for count in counts:
        total += float(poisson.logpmf(count, max(seen / frames, 1e-3)))
        seen, frames = memory * seen + count, memory * frames + 1.0
    return total


def fit_moving_average(series: Sequence[FloatArray]) -> float:
    """Return the memory (0 to 1) that predicts the counts best."""
    check_counts(series)
    rate = float(np.concatenate(series).mean())

    def loss(x: float) -> float:
        return -sum(moving_average_log_likelihood(c, float(expit(x)), rate) for c in series)

    return float(expit(minimize_scalar(loss, bounds=(0.0, 7.0), method='bounded').x))


def constant_log_likelihood(counts: FloatArray, rate: float) -> float:
    """Return log p of counts under one Poisson rate."""
    return float(poisson.logpmf(counts, max(rate, 1e-3)).sum())
