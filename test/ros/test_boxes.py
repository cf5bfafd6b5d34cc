"""Any detector's boxes in place of masks, and our detections as boxes for others."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.boxes import Boxes
from mav_perception.io.messages import cloud_to_sightings
from mav_perception.ros.messages.conversions import (
    array_to_image,
    info_from_camera,
    ns_to_stamp,
)
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.ros.messages.vision import (
    WITHOUT_VISION,
    boxes_of,
    detections_message,
    vision_msgs,
)
from mav_perception.ros.nodes.detection_node import DetectionNode
from mav_perception.ros.nodes.segmentation_node import SegmentationNode

CAMERA = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)
CLOUDS = '/mav1/detection/relative_measurements'

needs_vision = pytest.mark.skipif(bool(WITHOUT_VISION), reason=f'{WITHOUT_VISION} It is optional')


def header(stamp_ns=5_000_000_001):
    return Header(stamp=ns_to_stamp(stamp_ns), frame_id='mav1/camera_optical')


def message(*rows, kind='drone'):
    table = np.array(rows, float).reshape(-1, 5)
    boxes = Boxes(table[:, :2] - 0.5, table[:, 2:4], table[:, 4])  # from corner to middle
    return detections_message(boxes.detections(640, 512, 1, 0.0), header(), kind)


@pytest.fixture
def chain(bench):
    bench.start(DetectionNode, 'input:=boxes', 'box_class:=drone', 'min_score:=0.5')
    assert bench.until(lambda: bench.node._running)
    bench.clouds = bench.collect(PointCloud2, CLOUDS)
    info = bench.publisher(CameraInfo, '/mav1/camera/camera_info', qos_profile_sensor_data)
    info.publish(info_from_camera(CAMERA, Header()))
    assert bench.until(lambda: bench.node.detection.camera)
    bench.boxes = bench.publisher(vision_msgs.Detection2DArray, '/mav1/detection/boxes')
    return bench


@needs_vision
def test_boxes_become_bearing_range_and_score(chain):
    chain.boxes.publish(message([400, 200, 40, 12, 0.9], [100, 100, 30, 10, 0.2]))
    assert chain.until(lambda: chain.clouds)
    assert chain.clouds[0].header == header()
    sightings = cloud_to_sightings(chain.clouds[0], 'mav1')
    assert len(sightings) == 1  # the other one is too doubtful
    ray = CAMERA.unproject(np.array([[399.5, 199.5]]))[0]
    there = sightings.positions[0]
    np.testing.assert_allclose(there / np.linalg.norm(there), ray, atol=2e-3)
    assert sightings.score[0] == pytest.approx(0.9, abs=1e-3)


@needs_vision
def test_nobody_and_others_are_an_empty_cloud_and_nonsense_is_named(chain):
    chain.boxes.publish(message())
    chain.boxes.publish(message([400, 200, 40, 12, 0.9], kind='bird'))
    assert chain.until(lambda: len(chain.clouds) == 2)
    assert [cloud.width for cloud in chain.clouds] == [0, 0]
    broken = message([400, 200, 40, 12, 0.9])
    broken.detections[0].bbox.size_x = float('nan')
    diagnostics = chain.collect(DiagnosticArray, '/diagnostics')
    chain.boxes.publish(broken)
    assert chain.problem(diagnostics, 'no finite number')


@needs_vision
def test_boxes_survive_the_round_trip():
    given = message([102, 61, 40, 12, 0.75])
    boxes = boxes_of(given, 'drone')
    np.testing.assert_allclose(boxes.centres, [[101.5, 60.5]])  # of the pixels 82..121, 55..66
    np.testing.assert_allclose(boxes.sizes, [[40.0, 12.0]])
    np.testing.assert_allclose(boxes.scores, [0.75])
    assert len(boxes_of(given, 'bird')) == 0
    assert len(boxes_of(given, '')) == 1


@needs_vision
def test_masks_are_published_as_boxes_without_identity_and_classes_have_names(bench):
    bench.start(DetectionNode, 'use_confidence:=false')
    assert bench.until(lambda: bench.node._running)
    heard = bench.collect(vision_msgs.Detection2DArray, '/mav1/detection/detections')
    info = bench.publisher(CameraInfo, '/mav1/camera/camera_info', qos_profile_sensor_data)
    masks = bench.publisher(Image, '/mav1/segmentation/mask')
    info.publish(info_from_camera(CAMERA, Header()))
    assert bench.until(lambda: bench.node.detection.camera)
    assert bench.until(lambda: bench.node.count_subscribers('/mav1/detection/detections'))
    labels = np.zeros((512, 640), np.uint8)
    labels[200:216, 300:340] = 1
    masks.publish(array_to_image(labels, header()))
    assert bench.until(lambda: heard)
    (box,) = heard[0].detections
    assert (box.bbox.center.position.x, box.bbox.size_x) == (320.0, 40.0)
    assert box.id == ''
    assert box.results[0].hypothesis.class_id == 'drone'


@needs_vision
def test_who_comes_late_hears_what_class_ids_mean(bench):
    bench.start(SegmentationNode)
    assert bench.until(lambda: bench.node._running)
    latched = qos_profile('reliable', 1, latched=True)
    heard = bench.collect(vision_msgs.LabelInfo, '/mav1/segmentation/label_info', latched)
    assert bench.until(lambda: heard)
    names = {item.class_id: item.class_name for item in heard[0].class_map}
    assert names == {0: 'background', 1: 'drone'}


@pytest.mark.skipif(not WITHOUT_VISION, reason='vision_msgs is installed')
def test_without_vision_msgs_boxes_are_refused_with_the_cure(bench):
    bench.start(DetectionNode, 'input:=boxes')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    assert bench.problem(diagnostics, 'vision_msgs is not installed')
    assert not bench.node._running
