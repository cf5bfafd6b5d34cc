"""Team-shape alignment and NEES."""

import numpy as np
import pytest

from mav_perception.evaluation.metrics.team_errors import (
    align_team,
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
