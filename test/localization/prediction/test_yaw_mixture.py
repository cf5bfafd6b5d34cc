"""A yaw that nobody knows as a mixture of narrow ones."""

import numpy as np
import pytest

from mav_perception.localization.hypotheses import JointHypotheses, mixture_moments
from mav_perception.localization.prediction.yaw_mixture import (
    SPLIT_SIGMA,
    WIDEST_SPACING,
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


def moments(hypotheses):
    return mixture_moments(hypotheses.weights, hypotheses.means, hypotheses.covariances, DRONES)


def split(hypotheses, variance, most, drone=DRONE):
    return with_yaw_mixture(hypotheses, drone, DRONES, variance, most)


@pytest.mark.parametrize('sigma', [0.3, 0.5, 0.8])
@pytest.mark.parametrize('most', [60, 20])  # with less room both become one first
def test_the_mixture_has_the_moments_of_the_wide_yaw(sigma, most):
    before = two_hypotheses()
    mean, covariance = moments(before)
    covariance[YAW, YAW] += sigma**2
    after_mean, after = moments(split(before, sigma**2, most))
    np.testing.assert_allclose(after_mean, mean, atol=1e-9)
    assert np.sqrt(after[YAW, YAW]) == pytest.approx(np.sqrt(covariance[YAW, YAW]), rel=0.1)
    others = np.delete(np.arange(12), YAW)
    np.testing.assert_allclose(
        after[np.ix_(others, others)], covariance[np.ix_(others, others)], atol=1e-3
    )


def test_a_yaw_that_may_be_anything_is_anywhere_around():
    offsets, weights, variance = yaw_components(2.0**2, 20)
    around = np.linspace(-np.pi, np.pi, 200)
    apart = np.angle(np.exp(1j * (around[:, None] - offsets)))
    density = np.exp(-0.5 * apart**2 / variance) @ weights
    assert density.min() > 0.2 * density.max()
    assert np.sqrt(variance) < SPLIT_SIGMA


def test_every_yaw_is_narrow_and_the_likeliest_comes_first():
    after = split(two_hypotheses(), 0.5**2, 40)
    assert np.sqrt(after.covariances[:, YAW, YAW].max()) < SPLIT_SIGMA
    assert np.linalg.eigvalsh(after.covariances).min() > 0.0
    assert (np.diff(after.weights) <= 0.0).all()
    assert after.weights.sum() == pytest.approx(1.0)
    assert set(after.existence[:, 0].tolist()) == {0.9, 0.2}


@pytest.mark.parametrize('most', [1, 2, 5, 8, 9, 20])
def test_there_are_no_more_hypotheses_than_there_is_room_for(most):
    before = two_hypotheses()
    after = split(before, 9.0, most)
    assert len(after) <= most
    wide = 2.0 * np.pi / most > WIDEST_SPACING  # then the yaw is left one wide Gaussian
    assert len(after) == (min(most, 2) if wide else min(most, 12))
    expected = before.covariances[:, YAW, YAW].max() + 9.0 if wide else WIDEST_SPACING**2 / 4.0
    assert after.covariances[:, YAW, YAW].max() <= expected + 0.1


def test_a_second_loss_forgets_no_yaw_of_the_first():
    once = split(two_hypotheses(), 9.0, 20)
    again = split(once, 0.1, 20)
    assert len(again) == 12
    for hypotheses in (once, again):
        turned = np.angle(np.exp(1j * (hypotheses.means[:, YAW] - 0.5)))
        assert turned.max() - turned.min() > 5.0


def test_a_second_drone_leaves_the_first_one_as_vague_as_it_was():
    other = 4 * 2 + 3
    first = split(two_hypotheses(), 9.0, 20)
    both = split(first, 9.0, 20, drone=2)
    _, before = moments(first)
    _, after = moments(both)
    assert after[YAW, YAW] == pytest.approx(before[YAW, YAW], rel=1e-6)
    assert np.sqrt(after[other, other]) > 1.2
    assert np.sqrt(both.covariances[:, other, other].max()) < SPLIT_SIGMA


def test_what_hangs_on_the_yaw_goes_with_it():
    before = two_hypotheses().taken(np.zeros(1, int))
    place = 4 * DRONE
    before.covariances[0, YAW, YAW] = 0.01
    before.covariances[0, place, YAW] = before.covariances[0, YAW, place] = 0.002
    after = split(before, 0.49, 20)
    slope = np.polyfit(after.means[:, YAW], after.means[:, place], 1)[0]
    assert slope == pytest.approx(0.002 / 0.5)
