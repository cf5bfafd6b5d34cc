"""What one camera scan did to the filter, for diagnostics, rates and the evidence on drones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.types import FloatArray, IntArray, Sightings


@dataclass(frozen=True)
class UpdateReport:
    """What one camera scan did to the filter.

    Attributes:
        sightings: what was seen, and by whom.
        candidates: (C,) drone indices, then N + indices of static objects.
        view: (C,) probability that each was in view.
        probability: (C,) P_D of each.
        marginal: (C, m + 1) marginal association probabilities, the last column is 'missed'.
        evidence: (C,) log of how much likelier the scan is with the candidate than without.
        outside_gate: sightings that lay in no gate under the heaviest hypothesis.
        events: number of joint association events over all hypotheses.
        dropped: weight of the events and hypotheses that were cut.
        nis, nis_size: normalised innovation squared of the most likely event and its size.
    """

    sightings: Sightings
    candidates: IntArray
    view: FloatArray
    probability: FloatArray
    marginal: FloatArray
    evidence: FloatArray
    outside_gate: int
    events: int
    dropped: float
    nis: float
    nis_size: int

    def seen(self, observer: int) -> IntArray:
        """Return who took part in a sighting: the candidates seen and then the observer too."""
        seen = self.candidates[self.marginal[:, -1] < 0.5]
        return np.append(seen, observer) if len(seen) else seen

    def best_associations(self) -> tuple[IntArray, FloatArray]:
        """Return the likeliest origin of each of m sightings, and the probability of that.

        (m,) candidates, a drone index or N + that of a static object, or -1 for a false sighting.
        """
        among = self.marginal[:, :-1]
        chances = np.vstack([np.maximum(1.0 - among.sum(axis=0), 0.0), among])
        best = chances.argmax(axis=0)
        return np.append(-1, self.candidates)[best], chances.max(axis=0)

    @property
    def unexplained(self) -> FloatArray:
        """Return (m,) probabilities that no candidate gave the sighting."""
        return 1.0 - self.marginal[:, :-1].sum(axis=0)
