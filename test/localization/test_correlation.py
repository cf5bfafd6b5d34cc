"""Frames within a correlation time count as one."""

import numpy as np

from mav_perception.localization.correlation import correlated_noise, new_evidence


def test_correlated_errors_count_as_one_measurement():
    noise = np.diag([1e-4, 1e-4, 0.01])[None]
    np.testing.assert_allclose(correlated_noise(noise, 0.2, 1.0), 5.0 * noise)
    np.testing.assert_allclose(correlated_noise(noise, 3.0, 1.0), noise)
    np.testing.assert_allclose(correlated_noise(noise, 0.2, 0.0), noise)
    assert np.isfinite(correlated_noise(noise, 0.0, 1.0)).all()


def test_evidence_is_new_in_proportion_to_the_time_since_the_last_frame():
    elapsed = np.array([0.0, 0.5, 1.0, 7.0])
    np.testing.assert_allclose(new_evidence(elapsed, 1.0), [0.0, 0.5, 1.0, 1.0])
    frames = np.full(10, 0.1)  # at 10 Hz, one second of frames is one frame's evidence
    np.testing.assert_allclose(new_evidence(frames, 1.0).sum(), 1.0)
