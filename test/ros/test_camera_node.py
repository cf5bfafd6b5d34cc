"""camera_node: images in, measurements out, masks for whoever looks; real drivers' images."""

from array import array

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from mav_perception.cameras.models import PinholeCamera
from mav_perception.io.messages import cloud_to_sightings
from mav_perception.ros.messages.conversions import (
    array_to_image,
    compressed_to_array,
    image_to_array,
    info_from_camera,
    ns_to_stamp,
)
from mav_perception.ros.nodes.camera_node import CameraNode
from mav_perception.ros.nodes.detection_node import DetectionNode
from mav_perception.ros.nodes.localization_node import LocalizationNode
from mav_perception.ros.nodes.segmentation_node import SegmentationNode
from mav_perception.simulation.rendering.random_scenes import RandomScenes

IMAGE, CLOUDS = '/mav1/camera/image_raw', '/mav1/detection/relative_measurements'
CAMERA = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)


@pytest.fixture(scope='module')
def scene():
    """Return a rendered image in which the network sees a drone."""
    scenes = RandomScenes(640, 512)
    for seed in range(20):
        image, labels = scenes.draw(np.random.default_rng(seed))
        if (labels == 1).sum() > 800:
            return image
    raise AssertionError('no scene with a large drone')


def header(stamp_ns=3_000_000_007):
    return Header(stamp=ns_to_stamp(stamp_ns), frame_id='mav1/camera_optical')


def compressed(image, suffix='.png'):
    encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
    message = CompressedImage(header=header(), format=suffix[1:])
    message.data = array('B', encoded.tobytes())
    return message


def calibrate(bench):
    info = bench.publisher(CameraInfo, '/mav1/camera/camera_info', qos_profile_sensor_data)
    info.publish(info_from_camera(CAMERA, Header()))
    assert bench.until(lambda: bench.node.detection and bench.node.detection.camera)


def test_it_measures_what_both_nodes_would_and_shows_masks_to_who_looks(bench, scene):
    bench.start(CameraNode)
    assert bench.until(lambda: bench.node._running)
    clouds = bench.collect(PointCloud2, CLOUDS)
    calibrate(bench)
    images = bench.publisher(Image, IMAGE, qos_profile_sensor_data)
    images.publish(array_to_image(scene, header()))
    assert bench.until(lambda: clouds)
    assert clouds[0].header == header()
    sightings = cloud_to_sightings(clouds[0], 'mav1')
    assert len(sightings) >= 1
    assert 0.5 < sightings.score.max() < 1.0  # the confidence of the network
    masks = bench.collect(Image, '/mav1/segmentation/mask')
    assert bench.until(lambda: bench.node.count_subscribers('/mav1/segmentation/mask'))
    bench.until(lambda: False, timeout=0.5)
    images.publish(array_to_image(scene, header(4_000_000_000)))
    assert bench.until(lambda: masks)
    assert len(masks) == 1  # the first one was made for nobody
    assert (image_to_array(masks[0]) == 1).any()


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_compressed_images_are_images(bench, scene, suffix):
    bench.start(CameraNode, 'image_transport:=compressed')
    assert bench.until(lambda: bench.node._running)
    clouds = bench.collect(PointCloud2, CLOUDS)
    calibrate(bench)
    topic = bench.publisher(CompressedImage, f'{IMAGE}/compressed', qos_profile_sensor_data)
    topic.publish(CompressedImage(format='jpeg', data=array('B', b'no image')))
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    assert bench.problem(diagnostics, 'cannot be decoded')
    topic.publish(compressed(scene, suffix))
    assert bench.until(lambda: clouds)
    assert clouds[0].width >= 1


def test_colours_of_a_compressed_image_come_as_rgb():
    image = np.zeros((4, 6, 3), np.uint8)
    image[..., 0], image[..., 2] = 250, 30
    np.testing.assert_array_equal(compressed_to_array(compressed(image)), image)
    grey = CompressedImage(format='mono8; png compressed')
    grey.data = array('B', cv2.imencode('.png', image[..., 0])[1].tobytes())
    np.testing.assert_array_equal(compressed_to_array(grey), image[..., 0])


@pytest.mark.parametrize(
    ('options', 'there', 'kind', 'cure'),
    [
        ((), f'{IMAGE}/compressed', CompressedImage, 'Set image_transport to compressed'),
        (('image_transport:=compressed',), IMAGE, Image, 'Set image_transport to raw'),
    ],
)
def test_the_other_transport_is_named_when_only_that_is_there(bench, options, there, kind, cure):
    bench.start(CameraNode, *options)
    bench.tester.create_publisher(kind, there, qos_profile_sensor_data)
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    assert bench.problem(diagnostics, cure, timeout=15.0)


def test_the_first_cause_is_named_not_the_last(bench):
    bench.start(DetectionNode)
    bench.tester.create_publisher(Image, '/mav1/segmentation/mask', 5)
    bench.tester.create_subscription(Image, IMAGE, print, 5)  # it would make masks of them
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    assert bench.problem(diagnostics, f'waits for {IMAGE}, which nobody publishes', timeout=15.0)


def test_parameters_of_the_detection_change_in_flight_and_others_do_not(bench):
    node = bench.start(CameraNode)
    assert bench.until(lambda: node._running)
    assert node.set_parameters([Parameter('target_width', value=0.8)])[0].successful
    assert node.detection.parameters.target_width == 0.8
    assert not node.set_parameters([Parameter('threads', value=2)])[0].successful


@pytest.mark.parametrize('kind', [CameraNode, SegmentationNode, DetectionNode, LocalizationNode])
def test_transitions_and_failed_configures_leave_no_publisher_behind(bench, kind):
    node = bench.start(kind, 'autostart:=false')

    def ends():
        return sorted(p.topic_name for p in [*node.publishers, *node.subscriptions])

    before = ends()
    for _ in range(3):
        for transition in ('configure', 'activate', 'deactivate', 'cleanup'):
            done = getattr(node, f'trigger_{transition}')()
            assert done == TransitionCallbackReturn.SUCCESS, transition
        assert ends() == before
    name = 'team_file' if kind is LocalizationNode else 'model'
    node.set_parameters([Parameter(name, value='/missing/file.onnx')])
    for _ in range(3):
        assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
        assert ends() == before
