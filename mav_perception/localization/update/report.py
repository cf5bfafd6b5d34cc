"""What one camera scan did to the filter, for diagnostics, rates and the evidence on drones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import MEASUREMENT_SIZE
from mav_perception.localization.update.branches import Branches
from mav_perception.localization.update.event_updates import marginals
from mav_perception.localization.update.predicted_scan import PredictedScan
from mav_perception.types import FloatArray, IntArray, Sightings


@dataclass(frozen=True)
class UpdateReport:
    """What one camera scan did to the filter.

    Attributes:
        sightings: what was seen, and by whom.
        candidates: (C,) who may have been in view: drone indices, then N + object indices.
        view_probability: (C,) probability that each was in view, by the heaviest hypothesis.
        detection_probability: (C,) P_D of each, by that one too.
        marginal: (C, m + 1) marginal association probabilities, the last column is 'missed'.
        outside_gate: sightings that lay in no gate under the heaviest hypothesis.
        events: number of joint association events over all hypotheses.
        dropped: weight of the events and hypotheses that were cut.
        log_evidence: log of the density of the scan, by all that the filter knew before it.
        new_evidence: share of that which is new after the frame before of the same camera.
        nis, nis_size: normalised innovation squared of the most likely event and its size.
    """

    sightings: Sightings
    candidates: IntArray
    view_probability: FloatArray
    detection_probability: FloatArray
    marginal: FloatArray
    outside_gate: int
    events: int
    dropped: float
    log_evidence: float
    new_evidence: float
    nis: float
    nis_size: int

    def best_associations(self) -> tuple[IntArray, FloatArray]:
        """Return the likeliest origin of each of m sightings, and the probability of that.

        (m,) candidates, a drone index or N + that of a static object, or -1 for a false sighting.
        """
        among = self.marginal[:, :-1]
        chances = np.vstack([np.maximum(1.0 - among.sum(axis=0), 0.0), among])
        best = chances.argmax(axis=0)
        return np.append(-1, self.candidates)[best], chances.max(axis=0)

    @property
    def view_after(self) -> FloatArray:
        """Return (C,) probabilities that each was in view, by what came of the scan.

        Whoever is detected is in view; whoever is missed is with (v - q) / (1 - q), with v the
        probability before the scan and q = v P_D. By v itself, a drone that is seen at the edge of
        the view time and again would have been detected more often than viewed.
        """
        missed = self.marginal[:, -1]
        chance = self.detection_probability
        in_view = np.clip((self.view_probability - chance) / (1.0 - chance), 0.0, 1.0)
        return np.asarray(1.0 - missed * (1.0 - in_view))

    @property
    def unexplained(self) -> FloatArray:
        """Return (m,) probabilities that no candidate gave the sighting."""
        return 1.0 - self.marginal[:, :-1].sum(axis=0)


def make_report(
    scan: CameraScan, predicted: PredictedScan, branches: Branches, forgotten: float, new: float
) -> UpdateReport:
    """Return the report of an update.

    Args:
        scan: the camera scan.
        predicted: what was predicted of it.
        branches: all events, weighed.
        forgotten: weight that the reduction of the mixture dropped.
        new: share of the scan that is new evidence.
    """
    best = int(np.argmax(branches.weight))
    marginal = marginals_of(predicted, branches)
    return UpdateReport(
        sightings=scan.sightings,
        candidates=predicted.candidates,
        view_probability=predicted.view_probability[0],
        detection_probability=predicted.detection_probability[0],
        marginal=marginal,
        outside_gate=predicted.outside_gate,
        events=len(branches.weight),
        dropped=branches.events.dropped + forgotten,
        log_evidence=branches.log_total + predicted.log_clutter,
        new_evidence=new,
        nis=float(branches.updates.squared_mahalanobis[best]),
        nis_size=MEASUREMENT_SIZE * int(branches.updates.number[best]),
    )


def marginals_of(predicted: PredictedScan, branches: Branches) -> FloatArray:
    """Return (C, m + 1) marginal association probabilities; the ungated are missed."""
    sightings = predicted.gated.innovations.shape[2]
    full = np.zeros((len(predicted.candidates), sightings + 1))
    full[:, -1] = 1.0
    full[predicted.gated.index] = marginals(branches.events.assignment, branches.weight, sightings)
    return full
