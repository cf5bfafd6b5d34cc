"""The numbers that weigh a detection against a miss and against clutter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mav_perception.types import FloatArray, IntArray


@dataclass(frozen=True)
class DetectionModel:
    """Detection probability, gate probability, clutter density and scores of a scan.

    Attributes:
        probability: (..., T) P_D of every candidate, under K hypotheses or one.
        gate_probability: P_G.
        clutter_density: (m,) lambda at every sighting, per unit of measurement volume.
        log_score_ratio: (T, m) log of p(score | candidate) / p(score | clutter), or 0.
    """

    probability: FloatArray
    gate_probability: float
    clutter_density: FloatArray
    log_score_ratio: FloatArray | float = 0.0

    @cached_property
    def log_detection_ratio(self) -> FloatArray:
        """Return (..., T, m) log of l P_D / lambda, the weight of a detection."""
        tiny = np.finfo(float).tiny
        detected = np.log(np.maximum(self.probability, tiny))
        return detected[..., None] - np.log(self.clutter_density) + self.log_score_ratio

    @cached_property
    def log_missed(self) -> FloatArray:
        """Return (..., T) log of 1 - P_D P_G, the weight of a missed detection."""
        return np.log1p(-self.probability * self.gate_probability)

    def of(self, candidates: IntArray) -> DetectionModel:
        """Return the model of some of the candidates."""
        scores = self.log_score_ratio
        return replace(
            self,
            probability=self.probability[..., candidates],
            log_score_ratio=scores[candidates] if isinstance(scores, np.ndarray) else scores,
        )
