"""The coupled PDA update: one camera scan into the joint state, a function from state to state.

Predict, enumerate, evaluate and merge are those of Blom & Bloem 2000, done under each of a few
joint hypotheses, whose mixture is reduced as Salmond 2009 does; then the rates are learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mav_perception.localization.association.problem import MISSED, Associate, AssociationEvents
from mav_perception.localization.correlation import correlation
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, JointState
from mav_perception.localization.static_objects.birth_death import update_static_objects
from mav_perception.localization.update.event_updates import (
    EventUpdates,
    evaluate_events,
    normalised,
)
from mav_perception.localization.update.mixture_reduction import Branches, reduce_mixture
from mav_perception.localization.update.permutation_pruning import prune_permutations
from mav_perception.localization.update.predicted_scan import PredictedScan, predict_scan
from mav_perception.localization.update.report import UpdateReport, make_report
from mav_perception.types import FloatArray

MAX_EXISTENCE = 0.999
"""An object that was seen may be taken away before the next frame."""


def update_state(
    state: JointState, scan: CameraScan, parameters: FilterParameters, associate: Associate
) -> tuple[JointState, UpdateReport]:
    """Return the joint state after a camera scan, and what happened.

    Args:
        state: joint state at the time of the scan.
        scan: the camera scan.
        parameters: of the filter.
        associate: which events to consider.

    Raises:
        InputError: the result would not be a covariance.
    """
    predicted = [predict_scan(state, prior, scan, parameters) for prior in state.hypotheses]
    events = enumerate_events(predicted, parameters, associate)
    updates = evaluate_all(state, predicted, events, parameters)
    branches = weigh_branches(state, scan, predicted, events, updates)
    posteriors, forgotten = reduce_mixture(branches, state.drones, parameters)
    report = make_report(scan, predicted, events, branches, forgotten)
    state = replace(state, hypotheses=posteriors)
    state = update_rates(state, scan, report, parameters)
    return update_static_objects(state, scan, report.unexplained, parameters), report


def enumerate_events(
    predicted: Sequence[PredictedScan], parameters: FilterParameters, associate: Associate
) -> list[AssociationEvents]:
    """Return the joint association events under each of K hypotheses.

    theta: an injective map from the detected candidates D to sightings. The K hypotheses share
    the budget of `max_events`.
    """
    budget = max(parameters.max_events // len(predicted), 1)
    return [associate(scan.problem, budget) for scan in predicted]


def evaluate_all(
    state: JointState,
    predicted: Sequence[PredictedScan],
    events: Sequence[AssociationEvents],
    parameters: FilterParameters,
) -> list[EventUpdates]:
    """Weigh the events under each hypothesis and do the Kalman update of each.

    w_theta ~ prod_{b in D} P_D,b / lambda prod_{b not in D} (1 - P_D,b P_G) N(nu; 0, Q_D) with
    Q_D = H_D P H_D' + R_D over the full joint P; lambda^m, the same for all, is left out. With
    `permutation_pruning` (CPDA*), permutations of an event are dropped.
    """
    updates = [
        evaluate_events(
            prior.covariance,
            scan.sightings.jacobians(len(prior.mean)),
            scan.innovations,
            scan.noise,
            considered,
            scan.model,
        )
        for prior, scan, considered in zip(state.hypotheses, predicted, events, strict=True)
    ]
    if parameters.permutation_pruning:
        return [prune_permutations(e, u) for e, u in zip(events, updates, strict=True)]
    return updates


def weigh_branches(
    state: JointState,
    scan: CameraScan,
    predicted: Sequence[PredictedScan],
    events: Sequence[AssociationEvents],
    updates: Sequence[EventUpdates],
) -> Branches:
    """Weigh every pair of a hypothesis and an event against all others.

    w_{k, theta} = w_k w_theta prod_{b in no gate} (1 - P_D,b P_G), normalised.
    """
    log_weight = [
        u.log_weight + p.log_ungated_missed + np.log(prior.weight)
        for prior, p, u in zip(state.hypotheses, predicted, updates, strict=True)
    ]
    sizes = [len(weight) for weight in log_weight]
    return Branches(
        parents=state.hypotheses,
        updates=tuple(updates),
        existence=tuple(
            existence_after(prior, p, e)
            for prior, p, e in zip(state.hypotheses, predicted, events, strict=True)
        ),
        detectable=tuple(
            detectable_after(prior.detectable[scan.camera], p, e)
            for prior, p, e in zip(state.hypotheses, predicted, events, strict=True)
        ),
        camera=scan.camera,
        weight=normalised(np.concatenate(log_weight)),
        parent=np.repeat(np.arange(len(sizes)), sizes),
        event=np.concatenate([np.arange(size) for size in sizes]),
    )


def existence_after(
    prior: JointHypothesis, predicted: PredictedScan, events: AssociationEvents
) -> FloatArray:
    """Return (E, O) probabilities that each object exists, given each event (Bernoulli filter).

    After a miss r' = (r - r P_D) / (1 - r P_D). Misses in a row count as about one, since the P_D
    of an object that has just been missed is small.

    Args:
        prior: the hypothesis.
        predicted: its prediction of the scan; the P_D of an object there is r P_D.
        events: E of them.
    """
    first = len(predicted.candidates) - len(prior.existence)
    seen = predicted.detection_probability[first:]
    missed = np.zeros(len(predicted.candidates))
    missed[first:] = (prior.existence - seen) / (1.0 - seen)
    return _given_events(missed, np.full(len(missed), MAX_EXISTENCE), predicted, events)[:, first:]


def detectable_after(
    before: FloatArray, predicted: PredictedScan, events: AssociationEvents
) -> FloatArray:
    """Return (E, N + O) probabilities that the camera can detect each target, given each event.

    Args:
        before: (N + O,) after the last scan; stays for those that are no candidates.
        predicted: prediction of the scan.
        events: E of them.
    """
    candidates, detectability = predicted.candidates, predicted.detectability
    result = np.tile(before, (len(events.assignment), 1))
    missed = detectability.after_miss(predicted.view_probability)
    result[:, candidates] = _given_events(missed, detectability.after_detection, predicted, events)
    return result


def _given_events(
    missed: FloatArray, detected: FloatArray, predicted: PredictedScan, events: AssociationEvents
) -> FloatArray:
    """Return (E, C) the value of every candidate, as each event has it missed or detected."""
    result = np.tile(missed, (len(events.assignment), 1))
    gated = predicted.gated
    result[:, gated] = np.where(events.assignment != MISSED, detected[gated], missed[gated])
    return result


def update_rates(
    state: JointState, scan: CameraScan, report: UpdateReport, parameters: FilterParameters
) -> JointState:
    """Count detections, opportunities and clutter, for the rates of the camera and of objects.

    Expected counts, the sums of marginal probabilities, for Beta and Gamma means.
    """
    count, camera = state.drones + len(state.objects), scan.camera
    detected, viewed = np.zeros(count), np.zeros(count)
    detected[report.candidates] = 1.0 - report.marginal[:, -1]
    viewed[report.candidates] = report.view_probability
    correlated = correlation(state.since_last_scan(camera), parameters.detection_correlation)
    drones, objects = slice(0, state.drones), slice(state.drones, count)
    last_scan_ns = state.last_scan_ns.copy()
    last_scan_ns[camera] = state.stamp_ns
    return replace(
        state,
        rates=state.rates.counted(
            camera, detected[drones], viewed[drones], float(report.unexplained.sum()), correlated
        ),
        objects=state.objects.counted(camera, detected[objects], viewed[objects], correlated),
        last_scan_ns=last_scan_ns,
    )
