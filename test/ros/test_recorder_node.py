"""Bags keep how a topic was offered, and leave out images by their type."""

import subprocess
import sys
from array import array

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String
from visualization_msgs.msg import Marker

from mav_perception.cli import main
from mav_perception.errors import ConfigurationError
from mav_perception.io.bags import BagReader
from mav_perception.processes.node_processes import ros_environment
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.ros.nodes.player_node import PlayerNode
from mav_perception.ros.nodes.recorder_node import RecorderNode

LATCHED = qos_profile('reliable', 1, latched=True)
SENSOR = qos_profile('sensor_data', 5)


def described(*names):
    return DiagnosticArray(status=[DiagnosticStatus(name=name) for name in names])


@pytest.fixture
def bag(bench, tmp_path):
    """Record what was latched before, odometry, images of all kinds, diagnostics."""
    recorder = bench.start(RecorderNode, f'bag:={tmp_path}/bag', namespace='')
    make = bench.tester.create_publisher
    make(String, '/mav1/robot_description', LATCHED).publish(String(data='<robot/>'))
    odometry = make(Odometry, '/mav1/odometry', SENSOR)
    picture = Image(height=1, width=1, encoding='mono8', step=1, data=array('B', [0]))
    others = [
        (make(Image, '/mav1/camera/color/image_rect_raw', SENSOR), picture),
        (make(CompressedImage, '/mav1/camera/image_raw/compressed', SENSOR), CompressedImage()),
        (make(CameraInfo, '/mav1/camera/camera_info', SENSOR), CameraInfo()),
        (make(DiagnosticArray, '/diagnostics', 10), described('vio')),
        (make(DiagnosticArray, '/diagnostics', 10), described('localization_node', 'vio')),
        (make(DiagnosticArray, '/diagnostics', 10), described('mav1/camera_node')),
    ]
    assert bench.until(odometry.get_subscription_count)
    bench.until(lambda: False, timeout=1.0)
    for _ in range(20):
        odometry.publish(Odometry())
        for publisher, message in others:
            publisher.publish(message)
        bench.until(lambda: False, timeout=0.05)
    assert recorder.diagnostics._counts['messages'] > 20
    bench.close()
    return tmp_path / 'bag'


def test_a_bag_has_what_was_said_before_and_no_image_whatever_it_is_called(bag):
    reader = BagReader(bag)
    assert reader.counts['/mav1/robot_description'] == 1
    assert '/mav1/robot_description' in reader.latched
    assert '/mav1/odometry' not in reader.latched
    assert reader.counts['/mav1/camera/camera_info'] > 10
    assert not any('image' in topic for topic in reader.topics)


def test_images_are_recorded_if_they_are_wanted(bench, tmp_path):
    bench.start(RecorderNode, f'bag:={tmp_path}/bag', 'images:=true', namespace='')
    publisher = bench.publisher(Image, '/mav1/camera/color/image_rect_raw', SENSOR)
    publisher.publish(Image(height=1, width=1, encoding='mono8', step=1, data=array('B', [0])))
    assert bench.until(lambda: bench.node.diagnostics._counts['messages'])


def test_an_empty_exclusion_leaves_out_nothing_and_a_broken_one_is_refused(bench, tmp_path):
    with pytest.raises(ConfigurationError, match="no regular expression, '\\['"):
        bench.start(RecorderNode, f'bag:={tmp_path}/bag', 'exclude:="["', namespace='')
    bench.close()
    bench.start(RecorderNode, f'bag:={tmp_path}/bag', 'exclude:=""', namespace='')
    bench.publisher(Odometry, '/mav1/odometry', SENSOR).publish(Odometry())
    assert bench.until(lambda: bench.node.diagnostics._counts['messages'])


def test_a_type_that_is_not_installed_is_named_and_the_rest_recorded(bench, tmp_path, monkeypatch):
    """Somebody else on the network publishes it; here its package is taken away instead."""
    bench.start(RecorderNode, f'bag:={tmp_path}/bag', namespace='')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    bench.tester.create_publisher(Marker, '/mav1/hello', SENSOR)
    monkeypatch.setitem(sys.modules, 'visualization_msgs.msg', None)
    bench.publisher(Odometry, '/mav1/odometry', SENSOR).publish(Odometry())
    assert bench.problem(diagnostics, '/mav1/hello is not recorded: visualization_msgs/msg/Marker')
    assert bench.until(lambda: bench.node.diagnostics._counts['messages'])


def test_who_begins_in_the_middle_of_a_bag_hears_what_was_latched_before(bench, bag):
    bench.start(PlayerNode, f'bag:={bag}', 'position:=0.9', 'wait:=1.0', namespace='')
    heard = bench.collect(String, '/mav1/robot_description', LATCHED)
    assert bench.until(lambda: heard)
    assert heard[0].data == '<robot/>'


def test_a_latched_topic_is_played_to_who_comes_late(bench, bag):
    bench.start(PlayerNode, f'bag:={bag}', 'rate:=10.0', 'loop:=true', 'wait:=0.1', namespace='')
    assert bench.until(lambda: bench.node.diagnostics._counts['messages'] > 5)
    late = bench.collect(String, '/mav1/robot_description', LATCHED)
    assert bench.until(lambda: late)
    assert late[0].data == '<robot/>'


def test_only_what_localization_made_is_left_out(bench, bag):
    options = (f'bag:={bag}', 'rate:=10.0', 'wait:=1.0', 'inputs_only:=true')
    bench.start(PlayerNode, *options, namespace='')
    heard = bench.collect(DiagnosticArray, '/diagnostics', 100)

    def names():
        return {tuple(status.name for status in message.status) for message in heard}

    assert bench.until(lambda: names() >= {('vio',), ('localization_node', 'vio')})
    assert ('mav1/camera_node',) not in names()


def test_topics_are_played_under_other_names(bench, bag):
    bench.start(PlayerNode, f'bag:={bag}', 'loop:=true', namespace='')  # for its tester
    heard = bench.collect(Odometry, '/drone/odom', 100)
    command = [sys.executable, '-m', 'mav_perception.cli', 'replay', 'bag', str(bag), '--remap']
    child = subprocess.Popen([*command, '/mav1/odometry:=/drone/odom'], env=ros_environment())
    try:
        assert bench.until(lambda: heard, timeout=30.0)
    finally:
        child.kill()
        child.wait()
    assert main(['replay', 'bag', str(bag), '--remap', 'a=b']) == 2
