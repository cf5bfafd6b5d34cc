"""Disturbances change the image as they say, and nothing else."""

import numpy as np
import pytest

from mav_perception.evaluation.metrics.corruptions import CORRUPTIONS, corrupted


@pytest.mark.parametrize('name', CORRUPTIONS)
@pytest.mark.parametrize('shape', [(301, 430), (301, 430, 3)])
def test_a_disturbance_keeps_size_and_labels_and_is_seeded(name, shape):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, shape, dtype=np.uint8)
    before, labels = image.copy(), np.zeros(shape[:2], np.uint8)
    (one, same), (other, _) = (next(corrupted([(image, labels)], name)) for _ in range(2))
    assert one.shape == shape and one.dtype == np.uint8
    assert same is labels
    assert (one != image).any()
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(image, before)


def test_a_fifth_of_the_image_is_covered():
    image = np.zeros((512, 640), np.uint8)
    covered, _ = next(corrupted([(image, image)], 'occlusion_20'))
    assert (covered == 128).mean() == pytest.approx(0.2, abs=0.04)
