"""Messages to arrays and back; what a message gets wrong is named."""

import numpy as np
import pytest
from geometry_msgs.msg import Point, Pose, Quaternion
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, RegionOfInterest
from std_msgs.msg import Header

from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import InputError
from mav_perception.io.messages import cloud_to_sightings, pose_from_message, stamp_to_ns
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.queries import DronePose
from mav_perception.ros.localization.pose_publishers import pose_message
from mav_perception.ros.messages.conversions import (
    array_to_image,
    camera_from_info,
    depth_to_array,
    image_to_array,
    info_from_camera,
    ns_to_stamp,
    same_calibration,
)
from mav_perception.ros.messages.point_clouds import sightings_to_cloud
from mav_perception.types import Sightings


def image(encoding, channels, rows=4, columns=5, padding=0):
    step = columns * channels + padding
    pixels = np.random.default_rng(0).integers(0, 255, (rows, step), dtype=np.uint8)
    message = Image(height=rows, width=columns, encoding=encoding, step=step)
    message.data = pixels.tobytes()
    return message, pixels[:, : columns * channels].reshape(rows, columns, channels)


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('rgb8', [0, 1, 2]), ('bgr8', [2, 1, 0]), ('rgba8', [0, 1, 2]), ('bgra8', [2, 1, 0])],
)
def test_colour_images_become_rgb_whatever_their_padding(encoding, order, padding):
    message, pixels = image(encoding, 4 if 'a' in encoding else 3, padding=padding)
    np.testing.assert_array_equal(image_to_array(message), pixels[..., order])


def test_images_survive_the_round_trip():
    rng = np.random.default_rng(1)
    for shape in ((7, 9), (7, 9, 3)):
        pixels = rng.integers(0, 255, shape, dtype=np.uint8)
        np.testing.assert_array_equal(image_to_array(array_to_image(pixels, Header())), pixels)


@pytest.mark.parametrize(
    ('change', 'word'),
    [
        ({'encoding': 'yuv422'}, 'encoding'),
        ({'height': 40}, 'bytes'),
        ({'step': 2}, 'step'),
        ({'step': 0}, 'step 0: its publisher must set step to the bytes of a row, 5'),
        ({'width': 0}, 'needs'),
    ],
)
def test_broken_images_are_refused_by_name(change, word):
    message, _ = image('mono8', 1)
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(InputError, match=word):
        image_to_array(message)


def test_camera_info_survives_the_round_trip():
    camera = PinholeCamera(640, 480, 300, 301, 320, 240, 'equidistant', np.full(4, 0.01))
    again = camera_from_info(info_from_camera(camera, Header()))
    np.testing.assert_array_equal(again.matrix, camera.matrix)
    np.testing.assert_array_equal(again.distortion, camera.distortion)
    assert (again.model, again.width, again.height) == ('equidistant', 640, 480)


def test_camera_info_without_intrinsics_says_calibrate():
    with pytest.raises(InputError, match='calibrate'):
        camera_from_info(CameraInfo(width=640, height=480))


def full_sensor(**changes):
    info = CameraInfo(width=1280, height=960, distortion_model='plumb_bob', **changes)
    info.k = [800.0, 0.0, 640.0, 0.0, 801.0, 480.0, 0.0, 0.0, 1.0]
    return info


def test_binning_and_region_of_interest_are_those_of_camera_info_msg():
    whole = camera_from_info(full_sensor())
    binned = camera_from_info(full_sensor(binning_x=2, binning_y=4))
    assert (binned.width, binned.height, binned.fx, binned.fy) == (640, 240, 400.0, 801.0 / 4)
    roi = RegionOfInterest(x_offset=320, y_offset=240, width=640, height=480)
    window = camera_from_info(full_sensor(roi=roi))
    assert (window.width, window.height, window.cx, window.cy) == (640, 480, 320.0, 240.0)
    both = camera_from_info(full_sensor(roi=roi, binning_x=2, binning_y=2))
    assert (both.width, both.height, both.cx, both.fy) == (320, 240, 160.0, 801.0 / 2)
    ray = whole.unproject(np.array([[420.0, 300.0]]))
    np.testing.assert_allclose(window.unproject(np.array([[100.0, 60.0]])), ray)
    np.testing.assert_allclose(both.unproject(np.array([[50.0, 30.0]])), ray)


def test_a_region_beyond_the_sensor_is_refused():
    roi = RegionOfInterest(x_offset=900, width=640, height=480)
    with pytest.raises(InputError, match='whole sensor'):
        camera_from_info(full_sensor(roi=roi))


def test_new_binning_is_a_new_calibration():
    assert same_calibration(full_sensor(), full_sensor())
    assert not same_calibration(full_sensor(), full_sensor(binning_x=2))
    assert not same_calibration(full_sensor(), full_sensor(roi=RegionOfInterest(width=640)))


def depth_message(metres, encoding):
    scale, kind = {'16UC1': (1000.0, np.uint16), '32FC1': (1.0, np.float32)}[encoding]
    cells = (metres * scale).astype(kind)
    message = Image(height=2, width=3, encoding=encoding, step=3 * cells.itemsize)
    message.data = cells.tobytes()
    return message


@pytest.mark.parametrize('encoding', ['16UC1', '32FC1'])
def test_depth_is_metres(encoding):
    metres = np.array([[1.5, 2.0, 0.0], [30.0, 0.8, 4.0]])
    depth = depth_to_array(depth_message(metres, encoding))
    np.testing.assert_allclose(depth, np.where(metres > 0, metres, np.nan), rtol=1e-6)


def test_millimetres_in_a_depth_image_of_metres_are_suspected():
    with pytest.raises(InputError, match='millimetres'):
        depth_to_array(depth_message(np.array([[1500.0, 800.0, 0.0], [2000.0] * 3]), '32FC1'))
    beyond = np.array([[np.inf, 0.0, np.nan], [np.inf] * 3])
    assert np.isnan(depth_to_array(depth_message(beyond, '32FC1'))).all()


@pytest.mark.parametrize('count', [0, 1, 3])
def test_sightings_survive_the_round_trip(count):
    rng = np.random.default_rng(2)
    sightings = Sightings(
        'mav1', 12_345_678_901, rng.uniform(1, 5, (count, 3)), rng.uniform(0.1, 1, count),
        rng.uniform(0.1, 1, count), rng.uniform(0, 1, count),
    )  # fmt: skip
    cloud = sightings_to_cloud(sightings, Header(stamp=ns_to_stamp(sightings.stamp_ns)))
    assert cloud.width == count
    again = cloud_to_sightings(cloud, 'mav1')
    assert again.stamp_ns == sightings.stamp_ns
    np.testing.assert_allclose(again.positions, sightings.positions, rtol=1e-6)
    np.testing.assert_allclose(again.range_var, sightings.range_var, rtol=1e-6)
    np.testing.assert_allclose(again.score, sightings.score, rtol=1e-6)


def test_clouds_of_other_nodes_are_refused_by_the_missing_field():
    with pytest.raises(InputError, match="'x'"):
        cloud_to_sightings(PointCloud2(), 'mav1')


def test_truncated_clouds_are_refused():
    sightings = Sightings('mav1', 0, np.ones((2, 3)), np.ones(2), np.ones(2))
    cloud = sightings_to_cloud(sightings, Header())
    cloud.data = cloud.data[:50]
    with pytest.raises(InputError, match='bytes'):
        cloud_to_sightings(cloud, 'mav1')


@pytest.mark.parametrize('step', [0, 8])
def test_fields_outside_a_point_are_refused(step):
    sightings = Sightings('mav1', 0, np.ones((2, 3)), np.ones(2), np.ones(2))
    cloud = sightings_to_cloud(sightings, Header())
    cloud.point_step = step
    with pytest.raises(InputError, match='outside a point'):
        cloud_to_sightings(cloud, 'mav1')


@pytest.mark.parametrize(
    ('position', 'w'), [(float('nan'), 1.0), (float('inf'), 1.0), (0.0, 0.0), (0.0, float('nan'))]
)
def test_a_pose_that_is_none_is_refused(position, w):
    pose = Pose(position=Point(x=position), orientation=Quaternion(w=w))
    with pytest.raises(InputError, match='not finite, or its quaternion'):
        pose_from_message(pose)


def test_stamps_are_exact():
    assert stamp_to_ns(ns_to_stamp(1_795_508_766_190_501_396)) == 1_795_508_766_190_501_396


def test_pose_covariance_is_row_major_with_yaw_last():
    covariance = np.arange(16.0).reshape(4, 4)
    pose = DronePose(0, np.ones(4), covariance, OdometryRows.zeros())
    matrix = np.array(pose_message(pose, 'map').pose.covariance).reshape(6, 6)
    assert matrix[0, 5] == 3
    assert matrix[5, 5] == 15
    assert matrix[2, 1] == 9
