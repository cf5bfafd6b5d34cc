"""detection_node alone: mask in, nameless measurements out, bad input named."""

from array import array

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from mav_perception.cameras.files import save_camera
from mav_perception.cameras.models import PinholeCamera
from mav_perception.evaluation.sensor_model.sensor_model import SensorModel
from mav_perception.io.messages import cloud_to_sightings
from mav_perception.ros.messages.conversions import (
    array_to_image,
    info_from_camera,
    ns_to_stamp,
)
from mav_perception.ros.nodes.detection_node import DetectionNode
from mav_perception.segmentation.model_card import find_model, load_card

CAMERA = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)
MASK, CONFIDENCE = '/mav1/segmentation/mask', '/mav1/segmentation/confidence'


def mask(stamp, blobs=((300, 200, 40, 16),), shape=(512, 640)):
    labels = np.zeros(shape, np.uint8)
    for left, top, width, height in blobs:
        labels[top : top + height, left : left + width] = 1
    header = Header(stamp=ns_to_stamp(stamp), frame_id='mav1/camera_optical')
    return array_to_image(labels, header)


@pytest.fixture
def chain(bench):
    bench.start(DetectionNode)
    assert bench.until(lambda: bench.node._running)
    bench.clouds = bench.collect(PointCloud2, '/mav1/detection/relative_measurements')
    bench.diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    bench.info = bench.publisher(CameraInfo, '/mav1/camera/camera_info', qos_profile_sensor_data)
    bench.mask, bench.confidence = (bench.publisher(Image, t) for t in (MASK, CONFIDENCE))
    return bench


def send(chain, message, score=200):
    shape = (message.height, message.width)
    chain.confidence.publish(array_to_image(np.full(shape, score, np.uint8), message.header))
    chain.mask.publish(message)


def calibrated(chain):
    chain.info.publish(info_from_camera(CAMERA, Header()))
    assert chain.until(lambda: chain.node.detection.camera is not None)


def test_one_point_a_drone_with_stamp_frame_and_score(chain):
    calibrated(chain)
    message = mask(1_000_000_007)
    send(chain, message)
    assert chain.until(lambda: chain.clouds)
    cloud = chain.clouds[0]
    assert cloud.header == message.header
    sightings = cloud_to_sightings(cloud, 'mav1')
    assert len(sightings) == 1
    expected = CAMERA.unproject(np.array([[319.5, 207.5]]))[0]
    direction = sightings.positions[0] / np.linalg.norm(sightings.positions[0])
    np.testing.assert_allclose(direction, expected, atol=1e-5)
    assert sightings.score[0] == pytest.approx(200 / 255, abs=1e-3)
    assert not any('mav2' in field.name for field in cloud.fields)


def test_an_empty_mask_says_looked_and_saw_nobody(chain):
    calibrated(chain)
    send(chain, mask(1, blobs=()))
    assert chain.until(lambda: chain.clouds)
    assert chain.clouds[0].width == 0


def test_a_mask_of_another_size_is_named_and_the_next_one_is_used(chain):
    calibrated(chain)
    send(chain, mask(1, shape=(480, 640)))
    assert chain.problem(chain.diagnostics, 'must have the size of the image')
    assert not chain.clouds
    send(chain, mask(2))
    assert chain.until(lambda: chain.clouds)


def test_camera_info_without_intrinsics_is_named(chain):
    chain.info.publish(CameraInfo(width=640, height=512))
    assert chain.problem(chain.diagnostics, 'no intrinsics')
    send(chain, mask(1))
    assert chain.problem(chain.diagnostics, 'No usable camera_info')
    calibrated(chain)
    send(chain, mask(2))
    assert chain.until(lambda: chain.clouds)


def test_a_mask_without_confidence_is_used_when_the_next_one_comes(chain):
    calibrated(chain)
    chain.mask.publish(mask(1))
    assert not chain.until(lambda: chain.clouds, timeout=0.5)
    send(chain, mask(2))
    assert chain.until(lambda: len(chain.clouds) == 2)
    assert chain.problem(chain.diagnostics, 'without its confidence')


def test_the_size_of_the_drones_can_change_in_flight(chain):
    node = chain.node
    assert node.set_parameters([Parameter('target_width', value=0.8)])[0].successful
    assert node.detection.parameters.target_width == 0.8
    both = [Parameter('target_width', value=0.4), Parameter('mask_qos', value='sensor_data')]
    assert not node.set_parameters_atomically(both).successful
    assert node.detection.parameters.target_width == 0.8


def test_a_colour_image_is_no_mask(chain):
    calibrated(chain)
    header = Header(stamp=ns_to_stamp(1))
    chain.confidence.publish(array_to_image(np.zeros((512, 640), np.uint8), header))
    chain.mask.publish(array_to_image(np.zeros((512, 640, 3), np.uint8), header))
    assert chain.problem(chain.diagnostics, 'mono8 class ids')


def test_a_depth_image_of_the_same_time_gives_the_range(bench):
    bench.start(DetectionNode, 'use_depth:=true', 'use_confidence:=false')
    clouds = bench.collect(PointCloud2, '/mav1/detection/relative_measurements')
    info = bench.publisher(CameraInfo, '/mav1/camera/camera_info', qos_profile_sensor_data)
    depths = bench.publisher(Image, '/mav1/depth/image_rect', qos_profile_sensor_data)
    masks = bench.publisher(Image, MASK)
    info.publish(info_from_camera(CAMERA, Header()))
    message = mask(1_000_000_000)
    depth = Image(header=message.header, height=512, width=640, encoding='16UC1', step=1280)
    depth.data = array('B', np.full((512, 640), 2500, '<u2').tobytes())
    depths.publish(depth)
    assert bench.until(lambda: bench.node.detection.camera and bench.node.detection.depth)
    masks.publish(message)
    masks.publish(mask(5_000_000_000))  # the depth image is old by now
    assert bench.until(lambda: len(clouds) == 2)
    timely, late = (cloud_to_sightings(cloud, 'mav1').positions[0, 2] for cloud in clouds)
    assert timely == pytest.approx(2.5, abs=1e-4)
    assert late != pytest.approx(2.5, abs=0.1)


def test_calibration_and_view_come_from_files(bench, tmp_path):
    save_camera(CAMERA, tmp_path / 'camera.yaml')
    view = np.full((512, 640), 255, np.uint8)
    view[300:] = 0
    cv2.imwrite(str(tmp_path / 'view.png'), view)
    bench.start(
        DetectionNode,
        f'calibration_file:={tmp_path}/camera.yaml',
        f'view_mask:={tmp_path}/view.png',
        'use_confidence:=false',
    )
    clouds = bench.collect(PointCloud2, '/mav1/detection/relative_measurements')
    blobs = ((300, 200, 40, 16), (100, 400, 80, 40))
    bench.publisher(Image, MASK).publish(mask(1, blobs))
    assert bench.until(lambda: clouds)
    assert clouds[0].width == 1


@pytest.mark.parametrize('name', ['calibration_file', 'view_mask'])
def test_a_missing_file_keeps_the_node_unconfigured_and_is_named(bench, name):
    bench.start(DetectionNode, f'{name}:=/missing.file')
    assert bench.problem(bench.collect(DiagnosticArray, '/diagnostics'), '/missing.file')
    assert not bench.node._running


def test_the_file_of_fit_sensor_model_is_a_parameter_file(bench, tmp_path):
    numbers = [0.7, 1.5, 0.9, 0.02, 0.29, 1.25, 0.6, 0.1, 0.01, 0.2, 0.9, 50.0, 0.7, 20.0]
    SensorModel(*numbers).save(tmp_path / 'sensor_model.yaml')
    node = bench.start(DetectionNode, file=tmp_path / 'sensor_model.yaml')
    assert bench.until(lambda: node._running)
    assert node.detection.parameters.edge_loss == pytest.approx(1.25)
    assert node.detection.parameters.target_width == pytest.approx(0.29)


@pytest.mark.parametrize(('given', 'used'), [(-1.0, None), (0.0, 0.0), (0.3, 0.3)])
def test_the_operating_point_of_the_model_counts_unless_another_is_given(bench, given, used):
    card = load_card(find_model('drone'))
    assert card.min_score > 0.5
    node = bench.start(DetectionNode, 'model:=drone', f'min_score:={given}')
    assert bench.until(lambda: node._running)
    expected = card.min_score if used is None else used
    assert node.detection.at_operating_point().min_score == expected


def test_a_doubtful_blob_is_left_out_at_the_operating_point(chain):
    chain.node.set_parameters([Parameter('min_score', value=0.7)])
    calibrated(chain)
    for stamp, score in ((1, 150), (2, 200)):
        send(chain, mask(stamp), score)
        assert chain.until(lambda expected=stamp: len(chain.clouds) == expected)
    assert [cloud.width for cloud in chain.clouds] == [0, 1]
