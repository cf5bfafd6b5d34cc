"""Hypotheses: the mixture's moments survive every merge, and different explanations stay apart."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, initial_state, mixture_moments
from mav_perception.localization.team.team import Team
from mav_perception.localization.update.update import update_state
from mav_perception.types import Sightings

START = np.array([[0, 0, 0, 0], [4.0, -0.8, 0, 0], [4.0, 0.8, 0, 0]], float)


@pytest.fixture
def team(forward_mount):
    sigma = np.array([[0.0] * 4, [0.5, 0.5, 0.1, 0.1], [0.5, 0.5, 0.1, 0.1]])
    return Team(('a', 'b', 'c'), START, sigma, ((forward_mount,),) * 3)


def state_of(team):
    state = initial_state(0, team.start, team.start_sigma, 3)
    return replace(state, active=np.ones(3, bool), pending=np.zeros(3, bool))


def one_between(team):
    """Return a frame with one sighting right between two drones."""
    point = np.array([[0.0, 0.0, 3.9]])
    return CameraScan(
        Sightings('a', 0, point, np.array([1e-4]), np.array([0.01])),
        0,
        np.zeros(2),
        team.mounts[0][0],
        0,
    )


def test_two_explanations_stay_apart_until_later_frames_tell(team):
    parameters = FilterParameters(detection_probability=0.5, learn_rates=False, merge_distance=1.0)
    state, _ = update_state(
        state_of(team), one_between(team), parameters, joint_association_events
    )
    assert len(state.hypotheses) >= 2
    assert sum(h.weight for h in state.hypotheses) == pytest.approx(1.0)
    first, second = state.hypotheses[:2]
    assert first.weight == pytest.approx(second.weight, rel=1e-6)
    moved = [np.abs(h.mean - START.ravel()).reshape(3, 4)[:, 1].argmax() for h in (first, second)]
    assert sorted(moved) == [1, 2]


def test_one_gaussian_has_the_moments_of_all_hypotheses(team):
    parameters = FilterParameters(learn_rates=False, max_objects=0)
    many = replace(parameters, merge_distance=0.0, max_hypotheses=50)
    one = replace(parameters, max_hypotheses=1)
    frame = one_between(team)
    split, _ = update_state(state_of(team), frame, many, joint_association_events)
    merged, _ = update_state(state_of(team), frame, one, joint_association_events)
    assert len(split.hypotheses) > len(merged.hypotheses) == 1
    np.testing.assert_allclose(split.team.mean, merged.team.mean, atol=1e-4)
    np.testing.assert_allclose(split.team.covariance, merged.team.covariance, atol=1e-3)


def test_moments_of_a_mixture_wrap_yaw():
    means = np.array([[0, 0, 0, 3.1], [0, 0, 0, -3.1]])
    mean, covariance = mixture_moments(np.ones(2), means, np.zeros((2, 4, 4)), 1)
    assert abs(mean[3]) == pytest.approx(np.pi, abs=1e-9)
    assert covariance[3, 3] == pytest.approx((np.pi - 3.1) ** 2)


def test_a_hypothesis_that_the_frames_deny_is_forgotten(team):
    parameters = FilterParameters(learn_rates=False, max_objects=0)
    state = state_of(team)
    right = state.hypotheses[0]
    wrong = JointHypothesis(
        0.5, right.mean + np.tile([0, 0, 0, 0, 0, 3.0, 0, 0], 2)[:12], 1e-2 * right.covariance,
        np.zeros(0),
    )  # fmt: skip
    right = JointHypothesis(0.5, right.mean, 1e-2 * right.covariance, np.zeros(0))
    state = replace(state, hypotheses=(wrong, right))
    for k in range(6):
        points = np.array([[0.8, 0.0, 3.9], [-0.8, 0.0, 3.9]])
        sightings = Sightings('a', k, points, np.full(2, 1e-4), np.full(2, 0.01))
        frame = CameraScan(sightings, 0, np.zeros(2), team.mounts[0][0], 0)
        state, _ = update_state(state, frame, parameters, joint_association_events)
    np.testing.assert_allclose(state.hypotheses[0].mean, START.ravel(), atol=0.15)
    assert state.hypotheses[0].weight > 0.99
