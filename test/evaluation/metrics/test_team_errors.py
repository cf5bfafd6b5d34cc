"""Team-shape alignment and NEES."""

import numpy as np
import pytest

from mav_perception.evaluation.metrics.team_errors import (
    align_team,
    errors_in_sigmas,
    normalised_error_squared,
    position_rmse,
    team_shape_rmse,
)
from mav_perception.geometry import yaw_rotation
from mav_perception.types import TeamState


def test_shape_error_ignores_one_yaw_and_translation_an_instant():
    rng = np.random.default_rng(0)
    truth = rng.uniform(-5, 5, (40, 5, 3))
    turn = yaw_rotation(rng.uniform(-3, 3, 40))
    moved = np.einsum('mij,mnj->mni', turn, truth) + rng.uniform(-9, 9, (40, 1, 3))
    np.testing.assert_allclose(align_team(moved, truth), truth, atol=1e-9)
    assert team_shape_rmse(moved, truth) < 1e-9
    assert position_rmse(moved, truth) > 1.0


def test_alignment_is_the_best_one():
    rng = np.random.default_rng(1)
    truth = rng.uniform(-5, 5, (1, 4, 3))
    noisy = truth + rng.normal(0, 0.3, truth.shape)
    best = team_shape_rmse(noisy, truth)
    aligned = align_team(noisy, truth)
    for yaw in (-0.05, -0.01, 0.01, 0.05):
        centre = truth.mean(axis=1, keepdims=True)
        turned = (aligned - centre) @ yaw_rotation(yaw).T + centre
        assert np.sqrt(((turned - truth) ** 2).sum(-1).mean()) > best


def test_nees_of_matching_errors_is_their_number():
    rng = np.random.default_rng(2)
    root = rng.standard_normal((8, 8))
    covariance = root @ root.T + np.eye(8)
    draws = rng.multivariate_normal(np.zeros(8), covariance, 4000).reshape(-1, 2, 4)
    values = [
        normalised_error_squared(TeamState(0, error.copy(), covariance), np.zeros((2, 4)), (0, 1))
        for error in 0.1 * draws
    ]
    assert {size for _, size in values} == {4}
    assert np.mean([v for v, _ in values]) == pytest.approx(0.01 * 4, rel=0.05)


def test_yaw_error_wraps():
    state = TeamState(0, np.array([[0, 0, 0, 3.1], [0, 0, 0, 0]]), np.eye(8))
    truth = np.array([[0, 0, 0, -3.1], [0, 0, 0, 0.0]])
    value, _ = normalised_error_squared(state, truth)
    assert value == pytest.approx((2 * np.pi - 6.2) ** 2)


def test_sigmas_are_those_within_the_team_not_of_its_common_motion():
    """However uncertain the common motion is, a drone that is off within the team stands out."""
    rng = np.random.default_rng(3)
    truth = np.column_stack([rng.uniform(-5, 5, (5, 3)), np.zeros(5)])
    sigma, number = 0.1, []
    common = np.kron(np.ones((5, 5)), np.diag([9.0, 9.0, 9.0, 0.0]))
    covariance = common + np.kron(np.eye(5), np.diag([sigma**2] * 3 + [1e-4]))
    for _ in range(400):
        error = rng.normal(0, sigma, (5, 4)) + np.append(rng.normal(0, 3, 3), 0.0)
        number.append(errors_in_sigmas(TeamState(0, truth + error, covariance), truth))
    assert np.mean(np.square(number)) == pytest.approx(3.0, rel=0.1)  # three axes
    swapped = truth.copy()
    swapped[[0, 1]] = truth[[1, 0]]
    off = errors_in_sigmas(TeamState(0, swapped, covariance), truth)
    assert off[:2].min() > 5.0
