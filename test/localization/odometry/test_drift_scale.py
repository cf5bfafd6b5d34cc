"""What is known of the drift of a VIO, against what the parameters say."""

import numpy as np
import pytest

from mav_perception.localization.odometry.drift_scale import SCALES, DriftScale


def likelihood_of(squares, scale):
    """Return the (1, S) log likelihood of a squared error of three axes that drift by `scale`."""
    return -0.5 * squares / (scale * SCALES) ** 2 - 3.0 * np.log(SCALES)


def learned(squares):
    drift = DriftScale.unknown(1, 1)
    for square in squares:
        drift = drift.learned(likelihood_of(square, 1.0)[None])
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
    assert np.sqrt(np.mean(errors**2)) > 1.0  # as a Gaussian it is
