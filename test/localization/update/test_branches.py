"""Weights of branches: what tells hypotheses apart counts as far as the frame is new evidence."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.update.branches import weigh_branches
from mav_perception.localization.update.coupled_update import evaluate_all
from mav_perception.localization.update.predicted_scan import predict_scan
from mav_perception.types import Sightings

PARAMETERS = FilterParameters(detection_probability=0.5, learn_rates=False, max_objects=0)


@pytest.fixture
def doubt(forward_mount):
    """Return a state in which b is right ahead, or rather a metre aside, and a scan of b ahead."""
    start = np.array([[0.0, 0, 0, 0], [4.0, 0, 0, 0]])
    state = initial_state(0, start, np.full((2, 4), 0.1), 2)
    h, aside = state.hypotheses, np.zeros(8)
    aside[5] = 1.0
    two = JointHypotheses(
        weights=np.array([0.7, 0.3]),
        means=np.stack([h.means[0] + aside, h.means[0]]),
        covariances=np.tile(h.covariances, (2, 1, 1)),
        existence=np.tile(h.existence, (2, 1)),
        detectable=np.tile(h.detectable, (2, 1, 1)),
    )
    state = replace(state, hypotheses=two, active=np.ones(2, bool), pending=np.zeros(2, bool))
    sightings = Sightings('a', 0, np.array([[0.0, 0, 4.0]]), np.array([1e-3]), np.array([0.01]))
    return state, CameraScan(sightings, 0, np.zeros(2), forward_mount, 0)


def weighed(doubt, new):
    """Return the branches, if so much of the scan is new evidence."""
    predicted = predict_scan(*doubt, PARAMETERS)
    events = joint_association_events(predicted.gated.problem, 100)
    updates = evaluate_all(predicted, events, PARAMETERS)
    return weigh_branches(*doubt, predicted, events, updates, new)


def log_odds(branches):
    """Return those of the second hypothesis."""
    weight = np.bincount(branches.parent, branches.weight)
    return np.log(weight[1] / weight[0])


@pytest.mark.parametrize('new', [0.0, 0.1, 0.5])
def test_evidence_between_hypotheses_counts_as_far_as_it_is_new(doubt, new):
    before = np.log(0.3 / 0.7)
    full = log_odds(weighed(doubt, 1.0)) - before
    assert full > 1.0
    assert log_odds(weighed(doubt, new)) - before == pytest.approx(new * full)


def test_ten_frames_in_a_correlation_time_tell_what_one_frame_after_it_does(doubt):
    state, scan = doubt
    one = log_odds(weighed(doubt, 1.0))
    for _ in range(10):
        branches = weighed((state, scan), 0.1)
        weight = np.bincount(branches.parent, branches.weight)
        state = replace(state, hypotheses=replace(state.hypotheses, weights=weight))
    weights = state.hypotheses.weights
    assert np.log(weights[1] / weights[0]) == pytest.approx(one)


def test_events_of_one_hypothesis_and_the_density_of_the_scan_stay_as_they_are(doubt):
    old, new = weighed(doubt, 0.1), weighed(doubt, 1.0)
    for k in range(2):
        shares = [b.weight[b.parent == k] / b.weight[b.parent == k].sum() for b in (old, new)]
        np.testing.assert_allclose(*shares)
    assert old.log_total == new.log_total
