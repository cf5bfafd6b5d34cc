"""Branches: every joint association event under every hypothesis, and what each would mean.

The weight of a branch is that of its hypothesis times that of the event. What one camera sees in
successive frames is correlated, so that evidence between hypotheses counts as far as it is new:
the density of the scan under each is taken to the power of that share. Events of one hypothesis
are weighed against one another in full, since each frame says anew who is who.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mav_perception.localization.association.problem import MISSED, AssociationEvents
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.state import JointState
from mav_perception.localization.update.event_updates import EventUpdates, normalised
from mav_perception.localization.update.predicted_scan import PredictedScan
from mav_perception.types import FloatArray, IntArray

LEAST = 1e-300
"""Smallest weight, so that logarithms are finite."""

MAX_EXISTENCE = 0.999
"""Upper bound of existence after a detection: an object may be gone before the next frame."""


@dataclass(frozen=True)
class Branches:
    """All B events of all K hypotheses.

    Attributes:
        prior: the hypotheses before the frame.
        cross_covariance: (K, 3T, n) H P of all candidates. Every event works through some of its
            rows, so that nothing of size n^2 is computed event by event.
        events, updates: the events, each as a Kalman update.
        existence: (B, O) probability of every object after each event.
        detectable: (B, N + O) probability that the camera can detect each drone and object then.
        unexplained: (B, m) 1 for the sightings that no candidate gave in an event.
        compared: states by which explanations differ: of drones, then of objects in a gate.
        camera: of the scan, its index in the team.
        weight, log_total: (B,) normalised, and the log of their sum before that.
    """

    prior: JointHypotheses
    cross_covariance: FloatArray
    events: AssociationEvents
    updates: EventUpdates
    existence: FloatArray
    detectable: FloatArray
    unexplained: FloatArray
    compared: IntArray
    camera: int
    weight: FloatArray
    log_total: float

    @property
    def parent(self) -> IntArray:
        """Return (B,) the hypothesis before the frame of each."""
        return self.events.parent

    @cached_property
    def means(self) -> FloatArray:
        """Return (B, n) means after each event, yaw not wrapped."""
        return self.prior.means[self.parent] + self.updates.shift


def weigh_branches(
    state: JointState,
    scan: CameraScan,
    predicted: PredictedScan,
    events: AssociationEvents,
    updates: EventUpdates,
    new: float,
) -> Branches:
    """Weigh every pair of a hypothesis and an event against all others.

    w_{k, theta} = w_k w_theta prod_{b in no gate} (1 - P_D,b P_G) L_k^{g - 1}, normalised, with
    L_k the density of the scan under hypothesis k: what speaks for one of them against another
    counts as far as the scan is new evidence.

    Args:
        state: before the update.
        scan: the camera scan.
        predicted: what was predicted of it.
        events: B of them.
        updates: of each.
        new: g, share of the scan that is new evidence.
    """
    log_weight = updates.log_weight + predicted.gated.problem.log_prior[events.parent]
    log_old = (1.0 - new) * _log_densities(log_weight, events.parent, state.hypotheses.weights)
    return Branches(
        prior=state.hypotheses,
        cross_covariance=predicted.gated.cross_covariance,
        events=events,
        updates=updates,
        existence=_existence_after(state.hypotheses.existence, predicted, events),
        detectable=_detectable_after(predicted, events),
        unexplained=_unexplained_by(events, len(scan.sightings)),
        compared=_states_to_compare(state.drones, predicted),
        camera=scan.camera,
        weight=normalised(log_weight - log_old[events.parent]),
        log_total=float(np.logaddexp.reduce(log_weight)),
    )


def _log_densities(log_weight: FloatArray, parent: IntArray, prior: FloatArray) -> FloatArray:
    """Return (K,) log L_k, the density of a scan under each hypothesis, up to a common constant.

    Args:
        log_weight: (B,) of all pairs of a hypothesis and an event.
        parent: (B,) the hypothesis of each.
        prior: (K,) weights of the hypotheses before the scan.
    """
    weight = np.bincount(parent, np.exp(log_weight - log_weight.max()), len(prior))
    return np.asarray(np.log(np.maximum(weight, LEAST)) - np.log(prior), float)


def _states_to_compare(drones: int, predicted: PredictedScan) -> IntArray:
    """Return where the poses of all drones stand, then the places of objects in a gate."""
    gated = predicted.candidates[predicted.gated.index]
    objects = gated[gated >= drones] - drones
    places = 4 * drones + 3 * objects[:, None] + np.arange(3)
    return np.concatenate([np.arange(4 * drones), places.ravel()])


def _existence_after(
    prior: FloatArray, predicted: PredictedScan, events: AssociationEvents
) -> FloatArray:
    """Return (B, O) probabilities that each object exists, given each event (Bernoulli filter).

    After a miss r' = (r - r P_D) / (1 - r P_D). Misses in a row count as about one, since the P_D
    of an object that has just been missed is small.

    Args:
        prior: (K, O) probabilities before the scan.
        predicted: prediction of the scan; the P_D of an object there is r P_D.
        events: B of them.
    """
    drones = predicted.detectability.state.shape[1] - prior.shape[1]
    is_object = predicted.candidates >= drones
    objects = predicted.candidates[is_object] - drones
    seen = predicted.detection_probability[:, is_object]
    missed = np.zeros(predicted.detection_probability.shape)
    missed[:, is_object] = (prior[:, objects] - seen) / (1.0 - seen)
    result = prior[events.parent]
    after = _given_events(missed, np.full(missed.shape, MAX_EXISTENCE), predicted, events)
    result[:, objects] = after[:, is_object]
    return result


def _detectable_after(predicted: PredictedScan, events: AssociationEvents) -> FloatArray:
    """Return (B, N + O) probabilities that the camera can detect each, given each event."""
    everybody, candidates = predicted.detectability, predicted.candidates
    result = everybody.state[events.parent]
    detectability = everybody.of(candidates)
    missed = detectability.after_miss(predicted.view_probability)
    result[:, candidates] = _given_events(missed, detectability.after_detection, predicted, events)
    return result


def _unexplained_by(events: AssociationEvents, sightings: int) -> FloatArray:
    """Return (B, m) 1 for the sightings that no candidate gave in an event, else 0."""
    unexplained = np.ones((len(events.assignment), sightings + 1))
    np.put_along_axis(unexplained, events.assignment % (sightings + 1), 0.0, axis=1)
    return unexplained[:, :sightings]


def _given_events(
    missed: FloatArray, detected: FloatArray, predicted: PredictedScan, events: AssociationEvents
) -> FloatArray:
    """Return (B, C) the value (K, C) of every candidate, as each event has it missed or not."""
    result, gated = missed[events.parent], predicted.gated.index
    result[:, gated] = np.where(
        events.assignment != MISSED, detected[:, gated][events.parent], result[:, gated]
    )
    return result
