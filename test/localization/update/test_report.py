"""What a scan did to the filter, as its report tells."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.update.coupled_update import update_state
from mav_perception.localization.update.predicted_scan import predict_scan
from mav_perception.localization.update.report import UpdateReport
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import Sightings

NOTHING = Sightings('mav1', 0, np.zeros((0, 3)), np.zeros(0), np.zeros(0))


def report(marginal, candidates=(1, 4)):
    count = len(candidates)
    return UpdateReport(
        sightings=NOTHING, candidates=np.array(candidates, np.int64),
        view_probability=np.ones(count), detection_probability=np.ones(count),
        marginal=np.array(marginal, float),
        outside_gate=0, events=1, dropped=0.0, log_evidence=0.0,
        new_evidence=1.0, nis=0.0, nis_size=0,
    )  # fmt: skip


def test_each_sighting_is_taken_for_the_likeliest_candidate_or_for_none():
    taken, probability = report(
        [[0.9, 0.05, 0.3, 0.1], [0.0, 0.1, 0.35, 0.55]]
    ).best_associations()
    np.testing.assert_array_equal(taken, [1, -1, -1])  # 0.35 for none, 0.35 for the second: none
    np.testing.assert_allclose(probability, [0.9, 0.85, 0.35])


def test_whoever_is_detected_is_in_view_and_whoever_is_missed_perhaps():
    edge = replace(
        report([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]], (1, 2, 3)),
        view_probability=np.full(3, 0.5),
        detection_probability=np.full(3, 0.45),
    )
    outside = 1.0 - 0.05 / 0.55
    np.testing.assert_allclose(edge.view_after, [1.0, 1.0 - outside, 1.0 - 0.5 * outside])


def test_a_drone_that_is_always_seen_at_the_edge_of_the_view_leaves_probabilities():
    """Its P_D was learned as above 1, and the probability of the next frame as below 0."""
    parameters = FilterParameters(detection_probability=0.9, visible_probability=0.95)
    start = np.array([[0.0, 0.0, 0.0, 0.0], [3.0, 3.0, 0.0, 0.0]])
    state = initial_state(UNIX_BEGIN_NS, start, np.full((2, 4), 0.1), cameras=2)
    state = replace(state, active=np.ones(2, bool), pending=np.zeros(2, bool))
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))
    for k in range(200):
        seen = int(k % 10 > 0)
        stamp_ns = UNIX_BEGIN_NS + k * 100_000_000
        sightings = Sightings(
            observer='mav1', stamp_ns=stamp_ns,
            positions=np.array([[-3.0, 0.0, 3.0]])[:seen],
            bearing_var=np.full(seen, 4e-2), range_var=np.full(seen, 0.4),
        )  # fmt: skip
        scan = CameraScan(
            sightings=sightings, observer=0, roll_pitch=np.zeros(2), mount=mount, camera=0
        )
        state = replace(state, stamp_ns=stamp_ns)
        predicted = predict_scan(state, scan, parameters)
        assert (predicted.detection_probability >= 0.0).all()
        assert (predicted.detectability.state >= 0.0).all()
        assert (predicted.detectability.visible <= 1.0).all()
        state, _ = update_state(state, scan, parameters, joint_association_events)
    assert state.rates.detection_probability(0, parameters) < 1.0


def test_without_candidates_all_are_false_and_without_sightings_there_are_none():
    taken, probability = report(np.zeros((0, 3)), ()).best_associations()
    np.testing.assert_array_equal(taken, [-1, -1])
    np.testing.assert_allclose(probability, 1.0)
    assert len(report(np.ones((2, 1))).best_associations()[0]) == 0


@pytest.mark.parametrize('positions', [np.zeros((0, 3)), [[0.1, 0.0, 3.0]], [[2.0, 0.3, 4.0]]])
def test_the_evidence_is_the_density_of_the_scan(positions):
    start = np.array([[0.0, 0.0, 0.0, 0.0], [3.0, 0.2, 0.0, 0.0]])
    state = initial_state(UNIX_BEGIN_NS, start, np.full((2, 4), 0.1), cameras=2)
    state = replace(state, active=np.ones(2, bool), pending=np.zeros(2, bool))
    count = len(positions)
    sightings = Sightings(
        observer='mav1', stamp_ns=UNIX_BEGIN_NS, positions=np.array(positions).reshape(-1, 3),
        bearing_var=np.full(count, 4e-4), range_var=np.full(count, 0.04),
    )  # fmt: skip
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))
    scan = CameraScan(
        sightings=sightings, observer=0, roll_pitch=np.zeros(2), mount=mount, camera=0
    )
    parameters = FilterParameters(clutter_per_frame=0.3)
    _, told = update_state(state, scan, parameters, joint_association_events)
    predicted = predict_scan(state, scan, parameters)
    missed = 1.0 - predicted.detection_probability[0, 0] * parameters.gate_probability
    density, clutter = missed, np.exp(-0.3)
    if count:
        gated = predicted.gated.problem
        clutter *= predicted.gated.model.clutter_density[0] if gated.inside.any() else 1.0
        density += np.exp(gated.log_likelihood_ratio[0]).sum() if gated.inside.any() else 0.0
    if count and not gated.inside.any():  # nobody is near: it is false for certain
        clutter = np.exp(predicted.log_clutter)
        assert clutter < np.exp(-0.3) * 0.1
    assert told.log_evidence == pytest.approx(np.log(density * clutter), abs=1e-9)
    assert told.new_evidence == 1.0
