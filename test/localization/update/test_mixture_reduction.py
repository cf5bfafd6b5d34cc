"""Hypotheses: the mixture's moments survive every merge, and different explanations stay apart."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.errors import InputError
from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.hypotheses import JointHypotheses, mixture_moments
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.detection_model import DetectionModel
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.team.team import Team
from mav_perception.localization.update.coupled_update import update_state
from mav_perception.localization.update.event_updates import information_of
from mav_perception.localization.update.mixture_reduction import MIN_WEIGHT, reduce_mixture
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
    assert state.hypotheses.weights.sum() == pytest.approx(1.0)
    first, second = state.hypotheses.weights[:2]
    assert first == pytest.approx(second, rel=1e-6)
    means = state.hypotheses.means[:2, :12]
    moved = [np.abs(mean - START.ravel()).reshape(3, 4)[:, 1].argmax() for mean in means]
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


@pytest.mark.parametrize('room', [2, 20])
def test_what_is_far_and_hardly_likely_is_forgotten_and_widens_nobody(team, room):
    parameters = FilterParameters(learn_rates=False, max_hypotheses=room)
    state, aside, elsewhere = state_of(team), np.zeros(12), np.zeros(12)
    aside[5], elsewhere[4] = 5.0, 100.0
    h = state.hypotheses
    three = JointHypotheses(
        weights=np.array([0.6, 0.4 - 3e-5, 3e-5]),
        means=h.means[0] + np.array([0 * aside, aside, elsewhere]),
        covariances=np.repeat(h.covariances, 3, axis=0),
        existence=np.zeros((3, 0)),
        detectable=np.repeat(h.detectable, 3, axis=0),
    )
    empty = Sightings('a', 0, np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    scan = CameraScan(empty, 0, np.zeros(2), team.mounts[0][0], 0)
    after, report = update_state(
        replace(state, hypotheses=three), scan, parameters, joint_association_events
    )
    assert len(after.hypotheses) == 2
    assert 0.0 < report.dropped < MIN_WEIGHT
    np.testing.assert_allclose(
        np.diagonal(after.hypotheses.covariances, axis1=1, axis2=2),
        np.diagonal(three.covariances[:2], axis1=1, axis2=2),
    )


def test_moments_of_a_mixture_wrap_yaw():
    means = np.array([[0, 0, 0, 3.1], [0, 0, 0, -3.1]])
    mean, covariance = mixture_moments(np.ones(2), means, np.zeros((2, 4, 4)), 1)
    assert abs(mean[3]) == pytest.approx(np.pi, abs=1e-9)
    assert covariance[3, 3] == pytest.approx((np.pi - 3.1) ** 2)


def test_a_hypothesis_that_the_frames_deny_is_forgotten(team):
    parameters = FilterParameters(learn_rates=False, max_objects=0)
    state = state_of(team)
    right = state.hypotheses
    aside = np.tile([0, 0, 0, 0, 0, 3.0, 0, 0], 2)[:12]
    both = JointHypotheses(
        weights=np.full(2, 0.5),
        means=np.concatenate([right.means + aside, right.means]),
        covariances=1e-2 * right.covariances[[0, 0]],
        existence=right.existence[[0, 0]],
        detectable=right.detectable[[0, 0]],
    )
    state = replace(state, hypotheses=both)
    for k in range(6):
        points = np.array([[0.8, 0.0, 3.9], [-0.8, 0.0, 3.9]])
        sightings = Sightings('a', k, points, np.full(2, 1e-4), np.full(2, 0.01))
        frame = CameraScan(sightings, 0, np.zeros(2), team.mounts[0][0], 0)
        state, _ = update_state(state, frame, parameters, joint_association_events)
    np.testing.assert_allclose(state.hypotheses.means[0], START.ravel(), atol=0.15)
    assert state.hypotheses.weights[0] > 0.99


def random_branches(branches_of, rng, hypotheses=3, targets=2, sightings=3):
    """Return the branches of random hypotheses of two drones, each with all its events."""
    roots = rng.normal(0.0, 0.2, (hypotheses, 8, 8))
    return branches_of(
        roots @ roots.transpose(0, 2, 1) + 0.01 * np.eye(8),
        rng.normal(0.0, 1.0, (hypotheses, targets, 3, 8)),
        rng.normal(0.0, 0.4, (hypotheses, targets, sightings, 3)),
        np.tile(0.1 * np.eye(3), (sightings, 1, 1)),
        DetectionModel(np.full((hypotheses, targets), 0.7), 0.99, np.full(sightings, 0.1)),
        means=rng.normal(0.0, 0.5, (hypotheses, 8)),  # yaws on one side of the circle
    )


def moments_of(branches):
    """Return mean and covariance of the whole mixture, branch by branch."""
    rows = branches.cross_covariance.shape[1]
    covariances = []
    for branch, parent in enumerate(branches.parent):
        alone = np.full(len(branches.weight), -1)
        alone[branch] = 0
        information = information_of(branches.updates, np.ones(len(alone)), alone, 1, rows)[0]
        cross = branches.cross_covariance[parent]
        covariances.append(branches.prior.covariances[parent] - cross.T @ information @ cross)
    return mixture_moments(branches.weight, branches.means, np.array(covariances), 2)


def total_moments(hypotheses):
    return mixture_moments(hypotheses.weights, hypotheses.means, hypotheses.covariances, 2)


@pytest.mark.parametrize('room', [1, 3, 20])
def test_the_moments_of_the_mixture_survive_its_reduction(branches_of, room):
    for seed in range(4):
        branches = random_branches(branches_of, np.random.default_rng(seed))
        parameters = FilterParameters(max_hypotheses=room, merge_distance=1.0)
        reduction = reduce_mixture(branches, 2, parameters)
        hypotheses, dropped = reduction.hypotheses, reduction.forgotten
        assert 1 <= len(hypotheses) <= room
        assert hypotheses.weights.sum() == pytest.approx(1.0)
        mean, covariance = moments_of(branches)
        reduced_mean, reduced_covariance = total_moments(hypotheses)
        assert dropped < 1e-3  # branches under 1e-6 each are left out
        np.testing.assert_allclose(reduced_mean, mean, atol=2e-3)
        np.testing.assert_allclose(reduced_covariance, covariance, atol=5e-3)
        if room == 1:
            np.testing.assert_allclose(reduced_mean, mean, atol=1e-9)
            np.testing.assert_allclose(reduced_covariance, covariance, atol=1e-9)


def test_the_heaviest_branch_heads_the_heaviest_group_and_comes_first(branches_of):
    for seed in range(4):
        branches = random_branches(branches_of, np.random.default_rng(seed))
        unmerged = FilterParameters(max_hypotheses=99, merge_distance=0.0)
        weights = reduce_mixture(branches, 2, unmerged).hypotheses.weights.tolist()
        assert weights == sorted(weights, reverse=True)
        heaviest = np.sort(branches.weight)[::-1][: len(weights)]
        kept = heaviest[heaviest > MIN_WEIGHT]
        np.testing.assert_allclose(weights[: len(kept)], kept, rtol=2e-3)


def test_with_little_room_nothing_is_lost_but_merged_into_the_nearest(branches_of):
    branches = random_branches(branches_of, np.random.default_rng(1))
    reduction = reduce_mixture(branches, 2, FilterParameters(max_hypotheses=2))
    assert len(reduction.hypotheses) <= 2
    assert reduction.forgotten < 1e-3


def test_a_result_that_is_no_covariance_is_refused(branches_of):
    branches = random_branches(branches_of, np.random.default_rng(1))
    for bad in (np.nan, -1.0):
        covariances = branches.prior.covariances.copy()
        covariances[:, 0, 0] = bad
        broken = replace(branches, prior=replace(branches.prior, covariances=covariances))
        for room in (1, 20):
            with pytest.raises(InputError, match='positive definite'):
                reduce_mixture(broken, 2, FilterParameters(max_hypotheses=room))
