"""What is known of the drift of a VIO, against what the parameters say."""

import numpy as np
import pytest

from mav_perception.localization.odometry.drift_scale import COMPARED, SCALES, DriftScale
from mav_perception.localization.parameters import FilterParameters


def learned(squares):
    """Return the scale after squared errors of three axes that were told to have a sigma of 1."""
    drift = DriftScale.unknown(1, 1)
    for square in squares:
        log_likelihood = -0.5 * square / SCALES**2 - 3.0 * np.log(SCALES)
        drift = drift.learned(log_likelihood[None])
    return float(drift.scale[0])


def test_before_the_first_flight_the_parameters_hold():
    np.testing.assert_allclose(DriftScale.unknown(3, 2).scale, 1.0)


@pytest.mark.parametrize('true', [0.25, 1.0, 3.0])
def test_the_scale_of_normal_errors_is_found(true):
    errors = np.random.default_rng(3).normal(0.0, true, (60, 3))
    assert learned(np.sum(errors**2, axis=1)) == pytest.approx(true, rel=0.25)


def test_one_slip_does_not_tell_of_drift_for_ever():
    errors = np.random.default_rng(4).normal(0.0, 0.5, (60, 3))
    errors[30] *= 20.0
    assert learned(np.sum(errors**2, axis=1)) == pytest.approx(0.5, rel=0.35)


def test_a_vio_that_gets_worse_in_flight_is_noticed_in_minutes():
    rng = np.random.default_rng(5)
    before, after = rng.normal(0.0, 0.5, (1000, 3)), rng.normal(0.0, 2.0, (100, 3))
    assert learned(np.sum(before**2, axis=1)) == pytest.approx(0.5, rel=0.25)
    errors = np.vstack([before, after])
    assert learned(np.sum(errors**2, axis=1)) > 1.2


def test_what_was_learned_over_seconds_does_not_hold_for_minutes():
    drift = DriftScale.unknown(2, 1)
    for k in range(60):
        squares = np.array([0.3, 12.0]) ** 2 * (2.0 + (k % 3))
        drift = drift.learned(-0.5 * squares[:, None] / SCALES**2 - 3.0 * np.log(SCALES))
    assert drift.scale[0] < 0.5 < 4.0 < drift.scale[1]

    def after(seconds):
        return drift.applied(FilterParameters(), np.full(2, seconds))

    np.testing.assert_allclose(after(0.0), drift.scale)
    assert drift.scale[0] < after(COMPARED)[0] < 1.0
    np.testing.assert_allclose(after(np.inf), [1.0, drift.scale[1]])  # a bad VIO stays bad
    np.testing.assert_allclose(
        drift.applied(FilterParameters(learn_drift=False), np.zeros(2)), 1.0
    )
