"""Detection probability and clutter of every camera, estimated from counts as it flies.

Both are conjugate estimates: the parameters are the prior and weigh `PRIOR_OPPORTUNITIES`, and the
past fades with `MEMORY_FRAMES`, for light and background change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray

PRIOR_OPPORTUNITIES = 50.0
MEMORY_FRAMES = 500.0
MIN_PROBABILITY = 0.02
"""A camera that is blind still has a chance to see, or it could never prove that it sees again."""


@dataclass(frozen=True)
class DetectionRates:
    """Expected counts per camera of the team, each of shape (cameras,).

    Attributes:
        detected: drones seen.
        viewed: drones that were in view.
        clutter: sightings of nothing that is known.
        frames: camera frames.
    """

    detected: FloatArray
    viewed: FloatArray
    clutter: FloatArray
    frames: FloatArray

    @classmethod
    def empty(cls, count: int) -> DetectionRates:
        """Start with nothing counted."""
        return cls(*(np.zeros(count) for _ in range(4)))

    def detection_probability(self, camera: int, parameters: FilterParameters) -> float:
        """Return P_D of a drone in full view: the mean of a Beta distribution."""
        prior = parameters.detection_probability
        if not parameters.learn_rates:
            return prior
        seen = PRIOR_OPPORTUNITIES * prior + self.detected[camera]
        return float(max(seen / (PRIOR_OPPORTUNITIES + self.viewed[camera]), MIN_PROBABILITY))

    def clutter_per_frame(self, camera: int, parameters: FilterParameters) -> float:
        """Return the mean number of false sightings in a frame: the mean of a Gamma."""
        prior = parameters.clutter_per_frame
        if not parameters.learn_rates:
            return prior
        total = PRIOR_OPPORTUNITIES * prior + self.clutter[camera]
        return float(total / (PRIOR_OPPORTUNITIES + self.frames[camera]))

    def counted(
        self, camera: int, detected: float, viewed: float, clutter: float
    ) -> DetectionRates:
        """Return the rates after one more frame of a camera."""
        new = []
        for counts, increment in (
            (self.detected, detected),
            (self.viewed, viewed),
            (self.clutter, clutter),
            (self.frames, 1.0),
        ):
            faded = counts.copy()
            faded[camera] = faded[camera] * (1.0 - 1.0 / MEMORY_FRAMES) + increment
            new.append(faded)
        return DetectionRates(*new)
