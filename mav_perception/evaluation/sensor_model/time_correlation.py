"""How long detections, misses and errors of the same target stay, from frames in a row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from mav_perception.cameras.models import PinholeCamera
from mav_perception.evaluation.sensor_model.sensor_model import SensorModel
from mav_perception.evaluation.sensor_model.sensor_nis import (
    centre_variance,
    range_errors,
)
from mav_perception.evaluation.sensor_model.target_observations import TargetObservations
from mav_perception.localization.correlation import HIDDEN_PROBABILITY
from mav_perception.types import BoolArray, FloatArray, IntArray

FEWEST = 100
"""Fewer pairs of frames than this say little about time."""

LONGEST = 5.0
"""Seconds between two frames that are compared."""

WRONG = 4.0
"""A blob off by more standard deviations is no noise but a wrong blob."""

TIMES = (0.01, 30.0)
"""Correlation times that are considered, seconds."""


def with_time_correlation(
    model: SensorModel, views: TargetObservations, camera: PinholeCamera | None
) -> SensorModel:
    """Return a sensor model with what frames in a row tell, as far as there are any."""
    pairs = frame_pairs(views)
    visible, hidden_time = fit_detection_correlation(views.found, pairs)
    return replace(
        model,
        visible_probability=visible,
        detection_correlation=hidden_time,
        error_correlation=fit_error_correlation(normalised_errors(views, model, camera), pairs),
    )


def normalised_errors(
    views: TargetObservations, model: SensorModel, camera: PinholeCamera | None
) -> FloatArray:
    """Return (n, 3) errors of column, row and range over their deviations, NaN where unknown."""
    errors, width = np.full((len(views.width), 3), np.nan), views.found_width
    sigma = np.sqrt(centre_variance(width, model))
    errors[:, :2] = (views.found_pixel - views.pixel) / sigma[:, None]
    if camera is not None and np.isfinite(model.width_sigma):
        error, share = range_errors(views, model, camera)
        errors[views.ranged, 2] = error / share
    errors[~views.whole] = np.nan
    errors[np.abs(errors) > WRONG] = np.nan
    return errors


@dataclass(frozen=True)
class FramePairs:
    """Pairs of frames of one camera with the same target, at most `LONGEST` apart.

    Attributes:
        earlier, later: (p,) rows of the observations.
        elapsed: (p,) seconds.
    """

    earlier: IntArray
    later: IntArray
    elapsed: FloatArray


def frame_pairs(views: TargetObservations) -> FramePairs:
    """Return the pairs of frames of a target; none where nothing is known of time."""
    earlier, later = [], []
    for track in np.unique(views.track[views.track >= 0]):
        rows = np.flatnonzero(views.track == track)
        apart = views.time[rows] - views.time[rows][:, None]
        first, second = np.nonzero((apart > 0.0) & (apart <= LONGEST))
        earlier.append(rows[first])
        later.append(rows[second])
    empty = np.zeros(0, np.int64)
    one, other = np.concatenate([empty, *earlier]), np.concatenate([empty, *later])
    return FramePairs(one, other, views.time[other] - views.time[one])


def fit_detection_correlation(found: BoolArray, pairs: FramePairs) -> tuple[float, float]:
    """Fit how likely a target that nothing hides is seen, and how long something hides it.

    The model of `Detectability`: with pi the share of time for which a target can be seen,

        p(hit later | hit) = p_h + (p_v - p_h) (pi + (1 - pi) exp(-D / tau) p(seen | hit))

    and likewise after a miss; of all pairs the most likely p_v and tau.

    Args:
        found: (n,) the target was found.
        pairs: frames of the same targets.

    Returns:
        p_v and tau [s], NaN if there are too few pairs.
    """
    if len(pairs.elapsed) < FEWEST or found.all() or not found.any():
        return np.nan, np.nan
    overall = float(found.mean())
    before, after = found[pairs.earlier], found[pairs.later]

    def cost(x: FloatArray) -> float:
        visible, time = _visible(x[0], overall), np.exp(x[1])
        again = hit_probability(before, pairs.elapsed, overall, visible, time)
        likely = np.where(after, again, 1.0 - again)
        return -float(np.log(np.clip(likely, 1e-9, 1.0)).sum())

    starts = [(share, time) for share in (-1.0, 2.0) for time in np.log([0.1, 1.0, 5.0])]
    fits = [minimize(cost, s, method='Nelder-Mead', bounds=_BOUNDS) for s in starts]
    best = min(fits, key=lambda fit: float(fit.fun)).x
    return _visible(best[0], overall), float(np.exp(best[1]))


def hit_probability(
    hit: BoolArray, elapsed: FloatArray, overall: float, visible: float, time: float
) -> FloatArray:
    """Return (p,) probabilities of a detection after a detection or a miss some seconds before."""
    share = (overall - HIDDEN_PROBABILITY) / (visible - HIDDEN_PROBABILITY)
    after_hit = share * visible / overall
    after_miss = share * (1.0 - visible) / (1.0 - overall)
    state = np.where(hit, after_hit, after_miss)
    state = share + (state - share) * np.exp(-elapsed / time)
    return np.asarray(HIDDEN_PROBABILITY + state * (visible - HIDDEN_PROBABILITY))


def fit_error_correlation(errors: FloatArray, pairs: FramePairs) -> float:
    """Fit how long errors stay: normal pairs with the correlation exp(-D / tau).

    Args:
        errors: (n, d) errors over their standard deviations, NaN where there is none.
        pairs: frames of the same targets.

    Returns:
        tau [s], NaN if there are too few pairs.
    """
    errors = errors[:, np.isfinite(errors).any(axis=0)]
    # A mean stays for ever and is no correlation; a spread of its own has each column.
    errors = (errors - np.nanmean(errors, axis=0)) / np.maximum(np.nanstd(errors, axis=0), 1e-9)
    one, other = errors[pairs.earlier], errors[pairs.later]
    elapsed = np.broadcast_to(pairs.elapsed[:, None], one.shape)
    known = np.isfinite(one) & np.isfinite(other)
    one, other, elapsed = one[known], other[known], elapsed[known]
    if len(one) < FEWEST:
        return np.nan

    def cost(x: FloatArray) -> float:
        rho = np.exp(-elapsed / np.exp(x[0]))
        free = np.maximum(1.0 - rho**2, 1e-6)
        square = (one**2 - 2.0 * rho * one * other + other**2) / free
        return float((square + np.log(free)).sum())

    starts = np.log([0.05, 0.5, 3.0])
    fits = [minimize(cost, [s], method='Nelder-Mead', bounds=_BOUNDS[1:]) for s in starts]
    return float(np.exp(min(fits, key=lambda fit: float(fit.fun)).x[0]))


_BOUNDS = [(-6.0, 8.0), (float(np.log(TIMES[0])), float(np.log(TIMES[1])))]


def _visible(x: float, overall: float) -> float:
    """Return a P_D between the overall one and 0.999."""
    return float(min(overall + max(0.999 - overall, 1e-3) / (1.0 + np.exp(-x)), 0.999))
