"""Calibration files of ROS and Kalibr."""

import numpy as np
import pytest

from mav_perception.cameras.files import load_camera, save_camera
from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import DataError

KALIBR = """
cam0:
  camera_model: pinhole
  distortion_model: {model}
  distortion_coeffs: [0.1, -0.02, 0.001, 0.002]
  intrinsics: [400.0, 401.0, 320.0, 240.0]
  resolution: [640, 480]
  rostopic: /cam0/image_raw
"""


@pytest.mark.parametrize('model', ['plumb_bob', 'equidistant', 'rational_polynomial'])
def test_a_written_calibration_is_read_back(tmp_path, model):
    size = {'plumb_bob': 5, 'equidistant': 4, 'rational_polynomial': 8}[model]
    camera = PinholeCamera(640, 480, 400.5, 401.5, 320, 240, model, np.arange(size) / 100)
    save_camera(camera, tmp_path / 'camera.yaml')
    again = load_camera(tmp_path / 'camera.yaml')
    assert (again.width, again.fx, again.model) == (640, 400.5, model)
    np.testing.assert_allclose(again.distortion, camera.distortion)


@pytest.mark.parametrize(
    ('kalibr', 'ours', 'count'), [('radtan', 'plumb_bob', 4), ('equidistant', 'equidistant', 4)]
)
def test_kalibr_camchains_are_read(tmp_path, kalibr, ours, count):
    path = tmp_path / 'camchain.yaml'
    path.write_text(KALIBR.format(model=kalibr))
    camera = load_camera(path)
    assert (camera.model, camera.fy, camera.height, len(camera.distortion)) == (
        ours, 401.0, 480, count,
    )  # fmt: skip


@pytest.mark.parametrize(
    ('text', 'match'),
    [
        ('{', 'Cannot read'),
        ('a: 1', 'neither camera_matrix'),
        (KALIBR.format(model='fov'), 'fov'),
        (KALIBR.format(model='radtan').replace('pinhole', 'omni'), 'omni'),
        (KALIBR.format(model='radtan').replace('400.0, ', ''), 'no usable'),
        (KALIBR.format(model='radtan').replace('400.0', '.nan'), 'intrinsics'),
    ],
)
def test_broken_files_are_named(tmp_path, text, match):
    path = tmp_path / 'broken.yaml'
    path.write_text(text)
    with pytest.raises(DataError, match=match) as caught:
        load_camera(path)
    assert 'broken.yaml' in str(caught.value)


def test_a_calibration_file_may_be_filled_up_with_zeros(tmp_path):
    camera = PinholeCamera(640, 480, 400, 400, 320, 240, 'plumb_bob', np.full(5, 0.01))
    save_camera(camera, tmp_path / 'camera.yaml')
    text = (tmp_path / 'camera.yaml').read_text().replace('plumb_bob', 'PLUMB_BOB')
    (tmp_path / 'camera.yaml').write_text(
        text.replace('  - 0.01\nrect', '  - 0.01\n  - 0.0\n  - 0.0\n  - 0.0\nrect')
    )
    again = load_camera(tmp_path / 'camera.yaml')
    np.testing.assert_array_equal(again.distortion, camera.distortion)
