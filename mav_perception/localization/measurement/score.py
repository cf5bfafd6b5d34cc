"""The score of a sighting as evidence: PDA with amplitude information.

How sure the network was of a blob tells how much likelier it shows a drone than that it is false:
l = p(score | true) / p(score | false), which multiplies the weight of a detection (Lerro &
Bar-Shalom 1993). Both densities are Beta distributions, learned by `fit-sensor-model`.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import beta

from mav_perception.localization.parameters import SensorParameters
from mav_perception.types import FloatArray

MAX_LOG_RATIO = 3.0
"""A score proves no more than this: the densities come from other images than those in flight."""

EDGE = 5e-3
"""A density of a Beta distribution may be 0 or infinite at scores of 0 and 1."""


def score_log_ratio(scores: FloatArray, parameters: SensorParameters) -> FloatArray:
    """Return the (m,) log likelihood ratios of the scores (m,), true against false; 0 if unknown.

    Args:
        scores: mean confidences of the blobs, 0 to 1.
        parameters: mean and weight of both Beta distributions; a weight of 0 for unknown.
    """
    true, false = parameters.true_score_weight, parameters.false_score_weight
    if not (true and false and len(scores)):
        return np.zeros(len(scores))
    inside = np.clip(scores, EDGE, 1.0 - EDGE)
    ratio = _log_density(inside, parameters.true_score_mean, true)
    ratio -= _log_density(inside, parameters.false_score_mean, false)
    return np.clip(ratio, -MAX_LOG_RATIO, MAX_LOG_RATIO)


def object_log_ratio(log_ratio: FloatArray) -> FloatArray:
    """Return the same for a static object, which may look like a drone or like anything false.

    log((1 + l) / 2).
    """
    return np.asarray(np.logaddexp(0.0, log_ratio) - np.log(2.0), float)


def _log_density(scores: FloatArray, mean: float, weight: float) -> FloatArray:
    return np.asarray(beta.logpdf(scores, mean * weight, (1.0 - mean) * weight), float)
