"""Hypotheses: the mixture's moments survive every merge, and different explanations stay apart."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.association.problem import AssociationProblem
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.detection_model import DetectionModel
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, initial_state, mixture_moments
from mav_perception.localization.team.team import Team
from mav_perception.localization.update.coupled_update import update_state
from mav_perception.localization.update.event_updates import (
    evaluate_events,
    merge_events,
    normalised,
)
from mav_perception.localization.update.mixture_reduction import (
    MIN_WEIGHT,
    Branches,
    reduce_mixture,
)
from mav_perception.types import Sightings

NO_OBJECT = np.zeros(0)
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
    right = replace(right, weight=0.5, covariance=1e-2 * right.covariance)
    wrong = replace(right, mean=right.mean + np.tile([0, 0, 0, 0, 0, 3.0, 0, 0], 2)[:12])
    state = replace(state, hypotheses=(wrong, right))
    for k in range(6):
        points = np.array([[0.8, 0.0, 3.9], [-0.8, 0.0, 3.9]])
        sightings = Sightings('a', k, points, np.full(2, 1e-4), np.full(2, 0.01))
        frame = CameraScan(sightings, 0, np.zeros(2), team.mounts[0][0], 0)
        state, _ = update_state(state, frame, parameters, joint_association_events)
    np.testing.assert_allclose(state.hypotheses[0].mean, START.ravel(), atol=0.15)
    assert state.hypotheses[0].weight > 0.99


def branches_of(rng, hypotheses=3, targets=2, sightings=3):
    """Return the branches of random hypotheses of two drones, each with all its events."""
    parents, updates, weights = [], [], []
    for _ in range(hypotheses):
        root = rng.normal(0.0, 0.2, (8, 8))
        parent = JointHypothesis(
            weight=1.0 / hypotheses, mean=rng.normal(0.0, 1.0, 8),
            covariance=root @ root.T + 0.01 * np.eye(8), existence=NO_OBJECT,
            detectable=np.full((1, targets), 0.5),
        )  # fmt: skip
        log_ratio = rng.normal(0.0, 1.0, (targets, sightings))
        problem = AssociationProblem(
            log_likelihood_ratio=log_ratio, log_missed=np.zeros(targets),
            inside=np.ones((targets, sightings), bool), candidates=np.arange(targets),
        )  # fmt: skip
        events = joint_association_events(problem, 1000)
        model = DetectionModel(np.full(targets, 0.7), 0.99, np.full(sightings, 0.1))
        noise = np.broadcast_to(0.1 * np.eye(3), (targets, sightings, 3, 3))
        innovations = rng.normal(0.0, 0.4, (targets, sightings, 3))
        updates.append(
            evaluate_events(
                parent.covariance, rng.normal(0.0, 1.0, (targets, 3, 8)), innovations, noise,
                events, model,
            )
        )  # fmt: skip
        parents.append(parent)
        weights.append(updates[-1].log_weight)
    sizes = [len(weight) for weight in weights]
    return Branches(
        parents=tuple(parents),
        updates=tuple(updates),
        existence=tuple(np.zeros((size, 0)) for size in sizes),
        detectable=tuple(np.full((size, targets), 0.5) for size in sizes),
        camera=0,
        weight=normalised(np.concatenate(weights)),
        parent=np.repeat(np.arange(hypotheses), sizes),
        event=np.concatenate([np.arange(size) for size in sizes]),
    )


def moments_of(branches):
    """Return mean and covariance of the whole mixture, branch by branch."""
    means, covariances = [], []
    for parent, event in zip(branches.parent, branches.event, strict=True):
        updates = branches.updates[parent]
        alone = np.zeros(len(updates.log_weight))
        alone[event] = 1.0
        shift, covariance = merge_events(branches.parents[parent].covariance, updates, alone)
        means.append(branches.parents[parent].mean + shift)
        covariances.append(covariance)
    return mixture_moments(branches.weight, np.array(means), np.array(covariances), 2)


def total_moments(hypotheses):
    weights = np.array([h.weight for h in hypotheses])
    means = np.array([h.mean for h in hypotheses])
    covariances = np.array([h.covariance for h in hypotheses])
    return mixture_moments(weights, means, covariances, 2)


@pytest.mark.parametrize('room', [1, 3, 20])
def test_the_moments_of_the_mixture_survive_its_reduction(room):
    for seed in range(4):
        branches = branches_of(np.random.default_rng(seed))
        parameters = FilterParameters(max_hypotheses=room, merge_distance=1.0)
        hypotheses, dropped = reduce_mixture(branches, 2, parameters)
        assert 1 <= len(hypotheses) <= room
        assert sum(h.weight for h in hypotheses) == pytest.approx(1.0)
        mean, covariance = moments_of(branches)
        reduced_mean, reduced_covariance = total_moments(hypotheses)
        assert dropped < 1e-3  # branches under 1e-6 each are left out
        np.testing.assert_allclose(reduced_mean, mean, atol=2e-3)
        np.testing.assert_allclose(reduced_covariance, covariance, atol=5e-3)
        if room == 1:
            np.testing.assert_allclose(reduced_mean, mean, atol=1e-9)
            np.testing.assert_allclose(reduced_covariance, covariance, atol=1e-9)


def test_the_heaviest_branch_heads_the_heaviest_group_and_comes_first():
    for seed in range(4):
        branches = branches_of(np.random.default_rng(seed))
        unmerged = FilterParameters(max_hypotheses=99, merge_distance=0.0)
        hypotheses, _ = reduce_mixture(branches, 2, unmerged)
        weights = [h.weight for h in hypotheses]
        assert weights == sorted(weights, reverse=True)
        heaviest = np.sort(branches.weight)[::-1][: len(weights)]
        kept = heaviest[heaviest > MIN_WEIGHT]
        np.testing.assert_allclose(weights[: len(kept)], kept, rtol=2e-3)


def test_with_little_room_nothing_is_lost_but_merged_into_the_nearest():
    branches = branches_of(np.random.default_rng(1))
    hypotheses, dropped = reduce_mixture(branches, 2, FilterParameters(max_hypotheses=2))
    assert len(hypotheses) <= 2
    assert dropped < 1e-3
