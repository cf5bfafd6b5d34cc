"""One camera frame into the joint state: a function from state to state."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.localization.association.events import Associate, AssociationEvents
from mav_perception.localization.association.gating import MEASUREMENT_SIZE
from mav_perception.localization.association.murty import MISSED
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, JointState
from mav_perception.localization.static_objects.birth_death import with_static_objects
from mav_perception.localization.update.event_updates import (
    EventUpdates,
    evaluate_events,
    marginals,
    normalised,
    permutation_pruned,
)
from mav_perception.localization.update.mixture_reduction import Branches, reduce_mixture
from mav_perception.localization.update.scan import CameraScan, PredictedScan, predict_scan
from mav_perception.types import FloatArray, IntArray, seconds

MOST_EXISTENCE = 0.999
"""An object that was seen may be taken away before the next look."""


@dataclass(frozen=True)
class UpdateReport:
    """What one camera frame did to the filter.

    Attributes:
        stamp_ns, observer: which frame.
        candidates: (C,) drone indices, then N + indices of static objects.
        view: (C,) probability that each was in view.
        probability: (C,) P_D of each.
        marginal: (C, m + 1) marginal association probabilities, the last column is 'missed'.
        evidence: (C,) log of how much likelier the frame is with the candidate than without.
        outside_gate: sightings that lay in no gate under the heaviest hypothesis.
        events: number of joint association events over all hypotheses.
        dropped: weight of the events and hypotheses that were cut.
        nis, nis_size: normalised innovation squared of the most likely event and its size.
    """

    stamp_ns: int
    observer: str
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

    def taken(self) -> tuple[IntArray, FloatArray]:
        """Return for whom each of m sightings was taken, and the probability of that.

        (m,) candidates, a drone index or N + that of a static object, or -1 for a false sighting.
        """
        among = self.marginal[:, :-1]
        chances = np.vstack([np.maximum(1.0 - among.sum(axis=0), 0.0), among])
        best = chances.argmax(axis=0)
        return np.append(-1, self.candidates)[best], chances.max(axis=0)


def update_state(
    state: JointState, frame: CameraScan, parameters: FilterParameters, associate: Associate
) -> tuple[JointState, UpdateReport]:
    """Return the joint state after a camera frame, and what happened.

    Args:
        state: joint state at the time of the frame.
        frame: the camera frame.
        parameters: of the filter.
        associate: which events to consider.

    Raises:
        InputError: the result would not be a covariance.
    """
    scans, updates, existences, log_weights = [], [], [], []
    dropped = 0.0
    share = state.objects.look_share(frame.camera, seconds(state.stamp_ns))
    budget = max(parameters.max_events // len(state.hypotheses), 1)
    for hypothesis in state.hypotheses:
        scan = predict_scan(state, hypothesis, frame, parameters)
        events = associate(scan.problem, budget)
        evaluated = evaluate_events(
            hypothesis.covariance,
            scan.predicted.jacobians(len(hypothesis.mean)),
            scan.innovations,
            scan.noise,
            events,
            scan.model,
        )
        if parameters.permutation_pruning:
            evaluated = permutation_pruned(events, evaluated)
        dropped += hypothesis.weight * events.dropped
        scans.append((scan, events))
        updates.append(evaluated)
        existences.append(_existence_after(state, hypothesis, scan, events, share))
        log_weights.append(evaluated.log_weight + scan.log_idle + np.log(hypothesis.weight))
    sizes = [len(w) for w in log_weights]
    weight = normalised(np.concatenate(log_weights))
    children = Branches(
        state.hypotheses,
        tuple(updates),
        tuple(existences),
        weight,
        np.repeat(np.arange(len(sizes)), sizes),
        np.concatenate([np.arange(size) for size in sizes]),
    )
    hypotheses, forgotten = reduce_mixture(children, state.drones, parameters)
    marginal = np.sum(
        [
            _marginal_over_all(scan, events, weight[children.parent == index])
            for index, (scan, events) in enumerate(scans)
        ],
        axis=0,
    )
    report = _report(frame, scans[0][0], children, marginal, dropped + forgotten)
    moved = replace(state, hypotheses=hypotheses)
    return _counted(moved, frame, report, parameters), report


def _existence_after(
    state: JointState,
    hypothesis: JointHypothesis,
    scan: PredictedScan,
    events: AssociationEvents,
    look_share: float,
) -> FloatArray:
    """Return (E, O) probabilities that each object exists, given each event (Bernoulli filter)."""
    first = len(scan.candidates) - len(state.objects)
    prior = hypothesis.existence
    # r (1 - p) / (1 - r p); the probability of the scan is r p.
    seen = scan.probability[first:] * look_share
    missed = (prior - seen) / (1.0 - seen)
    result = np.tile(missed, (len(events.assignment), 1))
    for column, candidate in enumerate(scan.gated):
        if candidate >= first:
            result[events.assignment[:, column] != MISSED, candidate - first] = MOST_EXISTENCE
    return result


def _marginal_over_all(
    scan: PredictedScan, events: AssociationEvents, weight: FloatArray
) -> FloatArray:
    """Return (C, m + 1) marginals times the weight of the hypothesis; the ungated are missed."""
    sightings = scan.innovations.shape[1]
    full = np.zeros((len(scan.candidates), sightings + 1))
    full[:, -1] = weight.sum()
    full[scan.gated] = marginals(events.assignment, weight, sightings)
    return full


def _report(
    frame: CameraScan,
    scan: PredictedScan,
    children: Branches,
    marginal: FloatArray,
    dropped: float,
) -> UpdateReport:
    best = int(np.argmax(children.weight))
    updates: EventUpdates = children.updates[children.parent[best]]
    event = children.event[best]
    missed = np.clip(marginal[:, -1], 1e-300, 1.0)
    return UpdateReport(
        frame.sightings.stamp_ns,
        frame.sightings.observer,
        scan.candidates,
        scan.view,
        scan.probability,
        marginal,
        # p(frame | candidate) / p(frame | nobody there) = (1 - P_D) / p(missed | frame)
        np.log1p(-scan.probability) - np.log(missed),
        scan.outside_gate,
        len(children.weight),
        dropped,
        float(updates.distance[event]),
        MEASUREMENT_SIZE * int(updates.number[event]),
    )


def _counted(
    state: JointState, frame: CameraScan, report: UpdateReport, parameters: FilterParameters
) -> JointState:
    """Learn from the frame: rates of the camera and of the objects, births and deletions."""
    seen = 1.0 - report.marginal[:, -1]
    is_drone = report.candidates < state.drones
    explained = report.marginal[:, :-1].sum(axis=0)
    rates = state.rates.counted(
        frame.camera,
        float(seen[is_drone].sum()),
        float(report.view[is_drone].sum()),
        float((1.0 - explained).sum()),
    )
    objects = state.objects.counted(
        seen[~is_drone], report.view[~is_drone], frame.camera, seconds(state.stamp_ns)
    )
    state = replace(state, rates=rates, objects=objects)
    return with_static_objects(state, frame, 1.0 - explained, parameters)
