"""The coupled PDA update: one camera scan into the joint state, a function from state to state.

The steps are those of Blom & Bloem 2000, under every joint hypothesis: predict the scan,
enumerate the joint association events, evaluate them, reduce the mixture, learn the rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mav_perception.localization.association.problem import MISSED, Associate, AssociationEvents
from mav_perception.localization.correlation import OBJECT_CORRELATION_TIME, new_evidence
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import MEASUREMENT_SIZE
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, JointState
from mav_perception.localization.static_objects.birth_death import update_static_objects
from mav_perception.localization.update.event_updates import (
    EventUpdates,
    evaluate_events,
    marginals,
    normalised,
)
from mav_perception.localization.update.mixture_reduction import Branches, reduce_mixture
from mav_perception.localization.update.permutation_pruning import prune_permutations
from mav_perception.localization.update.report import UpdateReport
from mav_perception.localization.update.scan import PredictedScan, predict_scan
from mav_perception.types import FloatArray, seconds

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
    priors = state.hypotheses
    predicted = [predict_scan(state, prior, scan, parameters) for prior in priors]
    events = enumerate_joint_events(predicted, parameters, associate)
    updates = [
        evaluate_joint_events(*branch, parameters)
        for branch in zip(priors, predicted, events, strict=True)
    ]
    branches = weigh_branches(state, scan, predicted, events, updates)
    posteriors, forgotten = reduce_mixture(branches, state.drones, parameters)
    cut = sum(prior.weight * e.dropped for prior, e in zip(priors, events, strict=True))
    report = _report(scan, predicted, events, branches, cut + forgotten)
    return learn_rates(replace(state, hypotheses=posteriors), scan, report, parameters), report


def enumerate_joint_events(
    predicted: Sequence[PredictedScan], parameters: FilterParameters, associate: Associate
) -> list[AssociationEvents]:
    """Return the joint association events under each of K hypotheses.

    theta: an injective map from the detected candidates D to sightings. The K hypotheses share
    the budget of `max_events`.
    """
    budget = max(parameters.max_events // len(predicted), 1)
    return [associate(scan.problem, budget) for scan in predicted]


def evaluate_joint_events(
    prior: JointHypothesis,
    predicted: PredictedScan,
    events: AssociationEvents,
    parameters: FilterParameters,
) -> EventUpdates:
    """Weigh the events under one hypothesis and do the Kalman update of each.

    w_theta ~ prod_{b in D} P_D,b prod_{b not in D} (1 - P_D,b P_G) lambda^(m - |D|) N(nu; 0, Q_D),
    Q_D = H_D P H_D' + R_D over the full joint P. CPDA* drops permutations of an event.
    """
    updates = evaluate_events(
        prior.covariance,
        predicted.predicted.jacobians(len(prior.mean)),
        predicted.innovations,
        predicted.noise,
        events,
        predicted.model,
    )
    return prune_permutations(events, updates) if parameters.permutation_pruning else updates


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
    time = seconds(state.stamp_ns) - float(state.objects.last_frame[scan.camera])
    share = float(new_evidence(time, OBJECT_CORRELATION_TIME))
    log_weight = [
        u.log_weight + p.log_ungated_missed + np.log(prior.weight)
        for prior, p, u in zip(state.hypotheses, predicted, updates, strict=True)
    ]
    sizes = [len(weight) for weight in log_weight]
    return Branches(
        parents=state.hypotheses,
        updates=tuple(updates),
        existence=tuple(
            _existence_after(state, *branch, share)
            for branch in zip(state.hypotheses, predicted, events, strict=True)
        ),
        weight=normalised(np.concatenate(log_weight)),
        parent=np.repeat(np.arange(len(sizes)), sizes),
        event=np.concatenate([np.arange(size) for size in sizes]),
    )


def learn_rates(
    state: JointState, scan: CameraScan, report: UpdateReport, parameters: FilterParameters
) -> JointState:
    """Learn from the scan: rates of the camera and of the objects, births and deletions.

    Expected counts of detections, of opportunities and of clutter, for a Beta and a Gamma mean.
    """
    seen = 1.0 - report.marginal[:, -1]
    is_drone = report.candidates < state.drones
    rates = state.rates.counted(
        scan.camera,
        float(seen[is_drone].sum()),
        float(report.view[is_drone].sum()),
        float(report.unexplained.sum()),
    )
    objects = state.objects.counted(
        seen[~is_drone], report.view[~is_drone], scan.camera, seconds(state.stamp_ns)
    )
    state = replace(state, rates=rates, objects=objects)
    return update_static_objects(state, scan, report.unexplained, parameters)


def _existence_after(
    state: JointState,
    hypothesis: JointHypothesis,
    predicted: PredictedScan,
    events: AssociationEvents,
    new_share: float,
) -> FloatArray:
    """Return (E, O) probabilities that each object exists, given each event (Bernoulli filter)."""
    first = len(predicted.candidates) - len(state.objects)
    prior = hypothesis.existence
    # r (1 - p) / (1 - r p); the probability of the scan is r p.
    seen = predicted.probability[first:] * new_share
    missed = (prior - seen) / (1.0 - seen)
    result = np.tile(missed, (len(events.assignment), 1))
    for column, candidate in enumerate(predicted.gated):
        if candidate >= first:
            result[events.assignment[:, column] != MISSED, candidate - first] = MAX_EXISTENCE
    return result


def _report(
    scan: CameraScan,
    predicted: Sequence[PredictedScan],
    events: Sequence[AssociationEvents],
    branches: Branches,
    dropped: float,
) -> UpdateReport:
    best = int(np.argmax(branches.weight))
    updates, event = branches.updates[branches.parent[best]], branches.event[best]
    shares = [branches.weight[branches.parent == index] for index in range(len(predicted))]
    marginal = np.sum(
        [_marginal(*branch) for branch in zip(predicted, events, shares, strict=True)], axis=0
    )
    heaviest = predicted[0]
    missed = np.clip(marginal[:, -1], 1e-300, 1.0)
    return UpdateReport(
        sightings=scan.sightings,
        candidates=heaviest.candidates,
        view=heaviest.view,
        probability=heaviest.probability,
        marginal=marginal,
        # p(scan | candidate) / p(scan | nobody there) = (1 - P_D) / p(missed | scan)
        evidence=np.log1p(-heaviest.probability) - np.log(missed),
        outside_gate=heaviest.outside_gate,
        events=len(branches.weight),
        dropped=dropped,
        nis=float(updates.squared_mahalanobis[event]),
        nis_size=MEASUREMENT_SIZE * int(updates.number[event]),
    )


def _marginal(
    predicted: PredictedScan, events: AssociationEvents, weight: FloatArray
) -> FloatArray:
    """Return (C, m + 1) marginals times the weight of the hypothesis; the ungated are missed."""
    sightings = predicted.innovations.shape[1]
    full = np.zeros((len(predicted.candidates), sightings + 1))
    full[:, -1] = weight.sum()
    full[predicted.gated] = marginals(events.assignment, weight, sightings)
    return full
