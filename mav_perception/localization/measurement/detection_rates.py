"""Detection probability and clutter of every camera, estimated from counts as it flies.

All are conjugate estimates: the parameters are the prior and weigh `PRIOR_OPPORTUNITIES`, and the
past fades with `MEMORY_FRAMES`, for light and background change. Two counts tell how detections
are correlated: how often a target in view is seen, and how often it is seen right after it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray

PRIOR_OPPORTUNITIES = 50.0
PRIOR_PAIRS = 20.0
MEMORY_FRAMES = 500.0
MIN_PROBABILITY = 0.02
"""Lower bound of P_D: with 0 a camera that was blind could never be found to see again."""


@dataclass(frozen=True)
class DetectionRates:
    """Expected counts per camera of the team, each of shape (cameras,).

    Attributes:
        detected: drones seen.
        viewed: drones that were in view.
        again: drones seen right after they were seen.
        after: drones in view right after they were seen.
        clutter: sightings of nothing that is known.
        frames: camera frames.
    """

    detected: FloatArray
    viewed: FloatArray
    again: FloatArray
    after: FloatArray
    clutter: FloatArray
    frames: FloatArray

    @classmethod
    def empty(cls, cameras: int) -> DetectionRates:
        """Start with nothing counted."""
        nothing = np.zeros(cameras)
        return cls(
            detected=nothing,
            viewed=nothing,
            again=nothing,
            after=nothing,
            clutter=nothing,
            frames=nothing,
        )

    def detection_probability(self, camera: int, parameters: FilterParameters) -> float:
        """Return P_D of a drone in full view: the mean of a Beta distribution."""
        prior = parameters.detection_probability
        if not parameters.learn_rates:
            return prior
        seen = PRIOR_OPPORTUNITIES * prior + self.detected[camera]
        return float(max(seen / (PRIOR_OPPORTUNITIES + self.viewed[camera]), MIN_PROBABILITY))

    def visible_probability(self, camera: int, parameters: FilterParameters) -> float:
        """Return P_D of a drone in full view that nothing hides: it is seen again."""
        prior = parameters.visible_probability
        if not parameters.learn_rates:
            return prior
        return float(
            (PRIOR_PAIRS * prior + self.again[camera]) / (PRIOR_PAIRS + self.after[camera])
        )

    def clutter_per_frame(self, camera: int, parameters: FilterParameters) -> float:
        """Return the mean number of false sightings in a frame: the mean of a Gamma."""
        prior = parameters.clutter_per_frame
        if not parameters.learn_rates:
            return prior
        total = PRIOR_OPPORTUNITIES * prior + self.clutter[camera]
        return float(total / (PRIOR_OPPORTUNITIES + self.frames[camera]))

    def counted(
        self,
        camera: int,
        detected: FloatArray,
        viewed: FloatArray,
        clutter: float,
        before: FloatArray,
    ) -> DetectionRates:
        """Return the rates after one more frame of a camera.

        Args:
            camera: index of the camera in the team.
            detected: (N,) probability that each drone was seen.
            viewed: (N,) probability that each was in view.
            clutter: expected number of false sightings.
            before: (N,) how far the frame is one right after each was seen: exp(-D / tau) of those
                in the last frame, else 0.
        """
        increments = {
            'detected': detected.sum(),
            'viewed': viewed.sum(),
            'again': detected @ before,
            'after': viewed @ before,
            'clutter': clutter,
            'frames': 1.0,
        }
        counts = {}
        for name, increment in increments.items():
            counts[name] = getattr(self, name).copy()
            counts[name][camera] *= 1.0 - 1.0 / MEMORY_FRAMES
            counts[name][camera] += increment
        return DetectionRates(**counts)
