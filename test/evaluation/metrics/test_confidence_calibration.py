"""Calibration on logits whose true temperature is known."""

import numpy as np
import pytest
from scipy.special import softmax

from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.confidence_calibration import (
    PixelSample,
    fit_temperature,
    reliability,
    sample_pixels,
)
from mav_perception.evaluation.report.plots import draw_reliability


@pytest.fixture
def overconfident():
    """Labels drawn from the softmax of logits that are then stated three times too large."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 2.0, (40_000, 3))
    chance = softmax(logits, axis=1).cumsum(axis=1)
    labels = (rng.random((len(logits), 1)) > chance).sum(axis=1)
    return PixelSample(3.0 * logits, labels)


def test_the_temperature_is_found(overconfident):
    assert fit_temperature(overconfident) == pytest.approx(3.0, rel=0.03)


def test_calibration_makes_the_error_small(overconfident):
    assert reliability(overconfident, 1.0).error > 0.1
    assert reliability(overconfident, 3.0).error < 0.01


def test_stated_equals_true_where_it_is_calibrated(overconfident, tmp_path):
    curve = reliability(overconfident, 3.0)
    np.testing.assert_allclose(curve.stated, curve.true, atol=0.03)
    draw_reliability(curve, 'test', tmp_path / 'curve.png')
    assert (tmp_path / 'curve.png').stat().st_size > 1000


def test_images_without_a_labelled_pixel_are_refused():
    unknown = np.full((4, 5), 255, np.uint8)
    with pytest.raises(DataError, match='No labelled pixel'):
        sample_pixels(None, [(unknown, unknown)])
