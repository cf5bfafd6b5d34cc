"""A yaw that nobody knows as a mixture of narrow ones."""

import numpy as np
import pytest

from mav_perception.localization.hypotheses import JointHypotheses, mixture_moments
from mav_perception.localization.prediction.yaw_mixture import (
    MAX_YAW_SIGMA,
    with_yaw_mixture,
    yaw_components,
)

DRONE, DRONES = 1, 3
YAW = 4 * DRONE + 3


def two_hypotheses(yaw=0.5):
    rng = np.random.default_rng(4)
    root = rng.normal(0.0, 0.02, (2, 12, 12))
    means = rng.normal(0.0, 2.0, (2, 12))
    means[:, 3::4] = yaw
    return JointHypotheses(
        weights=np.array([0.7, 0.3]),
        means=means,
        covariances=root @ np.swapaxes(root, 1, 2) + 1e-4 * np.eye(12),
        existence=np.array([[0.9], [0.2]]),
        detectable=rng.random((2, 1, 4)),
    )


@pytest.mark.parametrize('sigma', [0.3, 0.5, 0.8])
def test_the_mixture_has_the_moments_of_the_wide_yaw(sigma):
    before = two_hypotheses()
    after = with_yaw_mixture(before, DRONE, sigma**2, 60)
    mean, covariance = mixture_moments(before.weights, before.means, before.covariances, DRONES)
    covariance[YAW, YAW] += sigma**2
    split_mean, split = mixture_moments(after.weights, after.means, after.covariances, DRONES)
    np.testing.assert_allclose(split_mean, mean, atol=1e-9)
    assert np.sqrt(split[YAW, YAW]) == pytest.approx(np.sqrt(covariance[YAW, YAW]), rel=0.1)
    others = np.delete(np.arange(12), YAW)
    np.testing.assert_allclose(
        split[np.ix_(others, others)], covariance[np.ix_(others, others)], atol=1e-9
    )


def test_a_yaw_that_may_be_anything_is_anywhere_around():
    offsets, weights, variance = yaw_components(2.0**2, 20)
    around = np.linspace(-np.pi, np.pi, 200)
    apart = np.angle(np.exp(1j * (around[:, None] - offsets)))
    density = np.exp(-0.5 * apart**2 / variance) @ weights
    assert density.min() > 0.2 * density.max()
    assert np.sqrt(variance) < MAX_YAW_SIGMA + 0.02


def test_every_yaw_is_narrow_and_the_likeliest_comes_first():
    before = two_hypotheses()
    after = with_yaw_mixture(before, DRONE, 0.5**2, 40)
    added = after.covariances[:, YAW, YAW] - before.covariances[0, YAW, YAW]
    assert added.max() < MAX_YAW_SIGMA**2 * 1.2
    assert (np.diff(after.weights) <= 0.0).all()
    assert after.weights.sum() == pytest.approx(1.0)
    assert set(after.existence[:, 0].tolist()) == {0.9, 0.2}


def test_there_are_no_more_hypotheses_than_there_is_room_for():
    before = two_hypotheses()
    for most in (3, 7, 20):
        after = with_yaw_mixture(before, DRONE, 9.0, most)
        assert 3 <= len(after) <= most
        assert set(after.existence[:, 0].tolist()) == {0.9}  # the heaviest alone
    one = with_yaw_mixture(before, DRONE, 9.0, 1)
    assert len(one) == 1
    np.testing.assert_allclose(one.means, before.means[:1])
    assert one.covariances[0, YAW, YAW] == pytest.approx(9.0 + before.covariances[0, YAW, YAW])
