"""Camera models: there and back, and what is refused."""

import numpy as np
import pytest

from mav_perception.camera import PinholeCamera
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
