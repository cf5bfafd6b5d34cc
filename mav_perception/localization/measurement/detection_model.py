"""The numbers that weigh a detection against a miss and against clutter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mav_perception.types import FloatArray, IntArray


@dataclass(frozen=True)
class DetectionModel:
    """Detection probability, gate probability and clutter density of a scan.

    Attributes:
        probability: (..., T) P_D of every candidate, under K hypotheses or one.
        gate_probability: P_G.
        clutter_density: (m,) lambda at every sighting, per unit of measurement volume.
    """

    probability: FloatArray
    gate_probability: float
    clutter_density: FloatArray

    @cached_property
    def log_detection_ratio(self) -> FloatArray:
        """Return (..., T, m) log of P_D / lambda, the weight of a detection."""
        tiny = np.finfo(float).tiny
        detected = np.log(np.maximum(self.probability, tiny))
        return detected[..., None] - np.log(self.clutter_density)

    @cached_property
    def log_missed(self) -> FloatArray:
        """Return (..., T) log of 1 - P_D P_G, the weight of a missed detection."""
        return np.log1p(-self.probability * self.gate_probability)

    def of(self, candidates: IntArray) -> DetectionModel:
        """Return the model of some of the candidates."""
        return DetectionModel(
            self.probability[..., candidates], self.gate_probability, self.clutter_density
        )
