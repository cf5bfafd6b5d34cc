"""Distortion as drivers give it: other names, surplus zeros, and what is no lens of ours."""

import cv2
import numpy as np
import pytest

from mav_perception.cameras.distortion import DISTORTION_MODELS, distortion_of
from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import InputError

T265 = [-0.01, 0.04, -0.04, 0.008, 0.0]
FOUR = [-0.03, 0.035, -1e-4, -1e-4]
OAK = [1.2, -0.3, 1e-4, 1e-4, 0.01, 1.5, -0.2, 0.02]


@pytest.mark.parametrize(
    ('model', 'given', 'known', 'count'),
    [
        ('equidistant', T265, 'equidistant', 4),
        ('fisheye', T265[:4], 'equidistant', 4),
        ('plumb_bob', FOUR, 'plumb_bob', 4),
        ('plumb_bob', [*FOUR, -0.012, 0.0, 0.0, 0.0], 'plumb_bob', 5),
        ('rational_polynomial', [*OAK, *[0.0] * 6], 'rational_polynomial', 14),
        ('rational_polynomial', [*OAK, *[0.01] * 4], 'rational_polynomial', 12),
        ('', [], 'plumb_bob', 0),
        ('none', [0.0] * 5, 'plumb_bob', 0),
        ('rational_polynomial', [0.0] * 7, 'rational_polynomial', 0),
    ],
)
def test_what_drivers_give_is_a_lens(model, given, known, count):
    name, coefficients = distortion_of(model, np.array(given))
    assert (name, len(coefficients)) == (known, count)
    np.testing.assert_array_equal(coefficients, given[:count])
    PinholeCamera(640, 480, 400, 400, 320, 240, name, coefficients)


@pytest.mark.parametrize(
    ('model', 'given', 'words'),
    [
        ('plumb_bob', [*FOUR, -0.012, 0.3, 0.0, 0.0], 'number 6 is 0.3'),
        ('equidistant', [*T265[:4], 0.02], 'number 5 is 0.02'),
        ('rational_polynomial', [*OAK, *[0.0] * 6, 1e-3], 'number 15 is 0.001'),
        ('plumb_bob', [0.1, 0.2, 0.3], '4 or 5 distortion coefficients, here are 3'),
        ('rational_polynomial', [0.1] * 9, '4 or 5 or 8 or 12 or 14'),
        ('magic', FOUR, 'Unknown distortion model'),
    ],
)
def test_what_is_no_lens_of_ours_is_named(model, given, words):
    with pytest.raises(InputError, match=words):
        distortion_of(model, np.array(given))


@pytest.mark.parametrize('count', DISTORTION_MODELS['rational_polynomial'])
def test_every_number_of_coefficients_is_that_of_opencv(count):
    given = 0.2 * np.array([*OAK, *[0.01] * 4, 0.05, -0.1])[:count]
    camera = PinholeCamera(
        640, 480, 400, 400, 320, 240, *distortion_of('rational_polynomial', given)
    )
    points = np.random.default_rng(0).uniform([-0.4, -0.4, 1], [0.4, 0.4, 2], (20, 3))
    zero = np.zeros(3)
    expected, _ = cv2.projectPoints(points[:, None], zero, zero, camera.matrix, given)
    np.testing.assert_allclose(camera.project(points), expected[:, 0])
    rays = points / np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(camera.unproject(camera.project(points)), rays, atol=1e-4)
