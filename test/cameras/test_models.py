"""Camera models: there and back, and what is refused."""

import cv2
import numpy as np
import pytest

from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import InputError

MODELS = {
    'plumb_bob': [-0.2, 0.05, 0.001, -0.001, 0.0],
    'rational_polynomial': [-0.1, 0.02, 0.0005, -0.0005, 0.001, 0.01, 0.0, 0.0],
    'equidistant': [0.02, -0.005, 0.001, 0.0],
}


@pytest.mark.parametrize('model', MODELS)
def test_unproject_inverts_project(model):
    camera = PinholeCamera(640, 512, 320, 322, 318, 256, model, np.array(MODELS[model]))
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(-0.6, 0.6, (50, 2)), np.ones(50)]) * 3.0
    rays = camera.unproject(camera.project(points))
    expected = points / np.linalg.norm(points, axis=1, keepdims=True)
    np.testing.assert_allclose(rays, expected, atol=2e-5)


def test_the_middle_of_an_ideal_camera_looks_along_z():
    camera = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)
    ray = camera.unproject(np.array([[319.5, 255.5]]))[0]
    np.testing.assert_allclose(ray, [0, 0, 1], atol=1e-12)
    assert camera.half_field_of_view[0] == pytest.approx(np.pi / 4)


def test_the_equidistant_lens_is_that_of_opencv_where_opencv_can():
    camera = PinholeCamera(
        640, 512, 320, 322, 318, 256, 'equidistant', np.array(MODELS['equidistant'])
    )
    points = np.random.default_rng(2).uniform([-3, -3, 1], [3, 3, 2], (50, 3))
    zero = np.zeros(3)
    expected, _ = cv2.fisheye.projectPoints(
        points[:, None], zero, zero, camera.matrix, camera.distortion
    )
    np.testing.assert_allclose(camera.project(points), expected[:, 0], atol=1e-8)


def test_an_equidistant_lens_sees_behind_itself():
    camera = PinholeCamera(640, 640, 200, 200, 319.5, 319.5, 'equidistant')
    angle = np.radians(np.linspace(1.0, 150.0, 40))
    rays = np.column_stack([np.sin(angle) * 0.6, np.sin(angle) * 0.8, np.cos(angle)])
    pixels = camera.project(3.0 * rays)
    np.testing.assert_allclose(camera.unproject(pixels), rays, atol=1e-9)
    # An ideal lens: the distance from the middle is focal length times angle.
    np.testing.assert_allclose(np.linalg.norm(pixels - 319.5, axis=1), 200 * angle)
    assert camera.half_field_of_view[0] == pytest.approx(320 / 200)


def test_no_points_are_no_problem():
    camera = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)
    assert camera.unproject(np.zeros((0, 2))).shape == (0, 3)
    assert camera.project(np.zeros((0, 3))).shape == (0, 2)


@pytest.mark.parametrize(
    ('change', 'word'),
    [
        ({'fx': 0.0}, 'intrinsics'),
        ({'fy': float('nan')}, 'intrinsics'),
        ({'width': 0}, 'image size'),
        ({'model': 'magic'}, 'Unknown distortion model'),
        ({'distortion': np.ones(3)}, 'coefficients'),
    ],
)
def test_impossible_intrinsics_are_refused_by_name(change, word):
    values = {'width': 640, 'height': 480, 'fx': 300.0, 'fy': 300.0, 'cx': 320.0, 'cy': 240.0}
    with pytest.raises(InputError, match=word):
        PinholeCamera(**(values | change))
