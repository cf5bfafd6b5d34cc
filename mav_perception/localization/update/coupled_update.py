"""The coupled PDA update: one camera scan into the joint state, a function from state to state.

Predict, enumerate, evaluate and merge are those of Blom & Bloem 2000, done under all of a few
joint hypotheses at once: arrays have a leading axis for these. Their mixture is reduced as Salmond
2009 does; then the rates are learned, and what nobody explains may tell of a drone that is
elsewhere or begin a static object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mav_perception.localization.association.problem import Associate, AssociationEvents
from mav_perception.localization.correlation import correlation, new_evidence
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.static_objects.birth_death import update_static_objects
from mav_perception.localization.update.branches import weigh_branches
from mav_perception.localization.update.displaced_drones import with_displaced_drones
from mav_perception.localization.update.drift_learning import learn_drift
from mav_perception.localization.update.event_updates import (
    EventUpdates,
    evaluate_events,
)
from mav_perception.localization.update.mixture_reduction import reduce_mixture
from mav_perception.localization.update.permutation_pruning import prune_permutations
from mav_perception.localization.update.predicted_detections import EDGE_CORRELATION
from mav_perception.localization.update.predicted_scan import PredictedScan, predict_scan
from mav_perception.localization.update.report import UpdateReport, make_report
from mav_perception.localization.update.silent_drones import follow_silent
from mav_perception.types import FloatArray

Update = Callable[
    [JointState, CameraScan, FilterParameters, Associate], tuple[JointState, UpdateReport]
]
"""An update: the state, a scan, parameters and an association -> the state after the scan."""


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
    predicted = predict_scan(state, scan, parameters)
    events = associate(predicted.gated.problem, parameters.max_events)
    updates = evaluate_all(predicted, events, parameters)
    elapsed = state.since_last_scan(scan.camera)
    new = float(new_evidence(elapsed, parameters.detection_correlation))
    branches = weigh_branches(state, scan, predicted, events, updates, new)
    reduction = reduce_mixture(branches, state.drones, parameters)
    report = make_report(scan, predicted, branches, reduction.forgotten, new)
    state = replace(state, hypotheses=reduction.hypotheses)
    state = follow_silent(state, scan, report, parameters)
    state = learn_drift(state, scan, predicted, parameters)
    state = remember_misses(state, scan, report, predicted.denied)
    state = update_rates(state, scan, report, parameters)
    state, unexplained = with_displaced_drones(
        state, scan, reduction.unexplained, elapsed, parameters
    )
    return update_static_objects(state, scan, unexplained, parameters), report


def evaluate_all(
    predicted: PredictedScan, events: AssociationEvents, parameters: FilterParameters
) -> EventUpdates:
    """Weigh the events and do the Kalman update of each, see `evaluate_events`.

    With `permutation_pruning` (CPDA*), permutations of an event are dropped.
    """
    pairs = predicted.gated
    updates = evaluate_events(
        pairs.cross_covariance,
        pairs.predicted_covariance,
        pairs.innovations,
        pairs.noise,
        pairs.new_information,
        events,
        pairs.model,
    )
    return prune_permutations(events, updates) if parameters.permutation_pruning else updates


def remember_misses(
    state: JointState, scan: CameraScan, report: UpdateReport, denied: FloatArray
) -> JointState:
    """Return the state with what this scan's misses deny of the view: X' = X + (1 - X) P_D.

    Args:
        state: after the update, before `update_rates` notes the time of the scan.
        scan: the camera scan.
        report: of the update with it.
        denied: (C,) X' of the candidates if they were missed.
    """
    some = report.candidates < state.drones
    now = state.denied.copy()
    now[scan.camera] *= correlation(state.since_last_scan(scan.camera), EDGE_CORRELATION)
    missed = report.marginal[some, -1] > 0.5
    now[scan.camera, report.candidates[some]] = np.where(missed, denied[some], 0.0)
    return replace(state, denied=now)


def update_rates(
    state: JointState, scan: CameraScan, report: UpdateReport, parameters: FilterParameters
) -> JointState:
    """Count detections, opportunities and clutter, for the rates of the camera and of objects.

    Expected counts, the sums of marginal probabilities, for Beta and Gamma means.
    """
    count, camera = state.drones + len(state.objects), scan.camera
    detected, viewed = np.zeros(count), np.zeros(count)
    detected[report.candidates] = 1.0 - report.marginal[:, -1]
    viewed[report.candidates] = report.view_after
    fresh = correlation(state.since_last_scan(camera), parameters.detection_correlation)
    before = np.where(state.seen_in_last_scan(camera), fresh, 0.0)
    last_scan_ns, last_seen_ns = state.last_scan_ns.copy(), state.last_seen_ns.copy()
    last_met_ns, drones = state.last_met_ns.copy(), slice(0, state.drones)
    last_scan_ns[camera] = state.stamp_ns
    last_seen_ns[camera, detected > 0.5] = state.stamp_ns
    met = detected[drones] > 0.5
    met[scan.observer] = met.any()
    last_met_ns[met] = state.stamp_ns
    objects = slice(state.drones, count)
    return replace(
        state,
        rates=state.rates.counted(
            camera, detected[drones], viewed[drones], float(report.unexplained.sum()),
            before[drones],
        ),
        objects=state.objects.counted(detected[objects], viewed[objects], before[objects]),
        last_scan_ns=last_scan_ns,
        last_seen_ns=last_seen_ns,
        last_met_ns=last_met_ns,
    )  # fmt: skip
