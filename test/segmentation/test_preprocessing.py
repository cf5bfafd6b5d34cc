"""Image -> network input -> image: exact inverse for any size."""

import numpy as np
import pytest

from mav_perception.errors import InputError
from mav_perception.segmentation.preprocessing import Preprocessing

GREY = Preprocessing(128, 160, 1, 0.45, 0.25)


@pytest.mark.parametrize(
    'shape', [(128, 160), (256, 320), (101, 333), (512, 97), (1, 1), (127, 161), (128, 160, 3)]
)
def test_restored_map_has_the_size_and_place_of_the_image(shape):
    image = np.zeros(shape, np.uint8)
    image[: shape[0] // 2] = 255  # upper half bright
    tensor = GREY.normalise(GREY.fit(image))
    assert tensor.shape == (1, 1, 128, 160)
    assert tensor.dtype == np.float32
    for ratio in (1, 4, 8):
        scores = tensor[0, 0].reshape(128 // ratio, ratio, 160 // ratio, ratio).mean((1, 3))
        restored = GREY.restore(scores, image)
        assert restored.shape == shape[:2]
        # One pixel of the map may be mixed from both halves.
        blur = 2 + 2 * ratio * shape[0] // GREY.fitted_size(image)[0]
        if shape[0] > 2 * blur:
            upper, lower = shape[0] // 2 - blur, shape[0] // 2 + blur
            assert restored[:upper].min() > restored[lower:].max()


def test_an_image_of_the_networks_size_passes_unchanged():
    image = np.random.default_rng(0).integers(0, 255, (128, 160), dtype=np.uint8)
    np.testing.assert_array_equal(GREY.fit(image), image)
    expected = (image / 255.0 - 0.45) / 0.25
    np.testing.assert_allclose(GREY.normalise(image)[0, 0], expected, atol=1e-5)


def test_an_image_is_enlarged_without_steps_and_made_smaller_without_aliases():
    ramp = np.tile(np.arange(0, 240, 3, dtype=np.uint8), (64, 1))
    steps = np.diff(GREY.fit(ramp)[64].astype(int))
    assert steps.max() <= 2  # blocks would step by 3, and stand still in between
    checks = (255 * (np.indices((256, 320)).sum(axis=0) % 2)).astype(np.uint8)
    assert np.ptp(GREY.fit(checks)) <= 1
    columns = np.tile((255 * (np.arange(320) % 2)).astype(np.uint8), (8, 1))
    assert np.ptp(GREY.fit(columns)[:8]) <= 1


def test_grey_and_colour_fit_networks_of_both_kinds():
    colour = Preprocessing(128, 160, 3, 0.45, 0.25)
    image = np.random.default_rng(0).integers(0, 255, (128, 160), dtype=np.uint8)
    three = colour.normalise(colour.fit(image))
    assert three.shape == (1, 3, 128, 160)
    np.testing.assert_array_equal(three[0, 0], three[0, 2])
    assert GREY.fit(np.repeat(image[..., None], 3, axis=2)).shape == (128, 160)


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((0, 10), np.uint8),
        np.zeros((10, 10), np.float32),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((2, 2, 2, 2), np.uint8),
    ],
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(InputError):
        GREY.fit(image)
