"""Motion blur and rolling shutter as weights of sharp images."""

import numpy as np
import pytest

from mav_perception.simulation.flight.sensors import Exposure
from mav_perception.simulation.rendering.exposure import add_noise, blend, instants, row_weights


@pytest.mark.parametrize('exposure', [Exposure(0.02), Exposure(0.0, 0.03), Exposure(0.01, 0.03)])
def test_every_row_is_the_mean_of_its_own_exposure(exposure):
    times, weights = instants(exposure), row_weights(exposure, 100)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert weights.min() >= 0.0
    middle = exposure.readout * ((np.arange(100) + 0.5) / 100 - 0.5)
    np.testing.assert_allclose(weights @ times, middle, atol=1e-9)


def test_without_motion_the_image_is_as_it_was():
    image = np.random.default_rng(0).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    sharp = Exposure()
    assert len(instants(sharp)) == 1
    np.testing.assert_array_equal(blend([image], sharp), image)
    rolling = Exposure(0.01, 0.02)
    still = blend([image] * len(instants(rolling)), rolling)
    assert np.abs(still.astype(int) - image).max() <= 1


def test_noise_has_its_standard_deviation():
    grey = np.full((100, 100, 3), 128, np.uint8)
    noisy = add_noise(grey, 5.0, np.random.default_rng(0))
    assert noisy.std() == pytest.approx(5.0, rel=0.05)
