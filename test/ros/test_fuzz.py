"""Malformed messages on every subscription: nothing crashes, good ones between them are used."""

import os

import numpy as np
import pytest
from geometry_msgs.msg import PoseWithCovarianceStamped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import Header

from mav_perception.cameras.models import PinholeCamera
from mav_perception.ros.messages.conversions import (
    array_to_image,
    info_from_camera,
    ns_to_stamp,
)
from mav_perception.ros.messages.point_clouds import sightings_to_cloud
from mav_perception.ros.nodes.detection_node import DetectionNode
from mav_perception.ros.nodes.localization_node import LocalizationNode
from mav_perception.ros.nodes.segmentation_node import SegmentationNode
from mav_perception.types import Sightings, nanoseconds

EXAMPLES = int(os.environ.get('MAV_PERCEPTION_FUZZ', '300'))
"""Messages on each subscription; MAV_PERCEPTION_FUZZ=10000 for the full run."""

FUZZ = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip

anything = st.floats(width=64)
stamps = st.integers(-(2**31), 2**31 - 1)
numbers = st.integers(0, 2**32 - 1)
headers = st.builds(
    lambda s, n, f: Header(stamp=make_stamp(s, n), frame_id=f), stamps, numbers,
    st.text(st.characters(blacklist_categories=('Cs',), blacklist_characters='\0'), max_size=8),
)  # fmt: skip


def make_stamp(sec, nanosec):
    stamp = ns_to_stamp(0)
    stamp.sec, stamp.nanosec = sec, nanosec
    return stamp


@st.composite
def images(draw):
    message = Image(header=draw(headers))
    message.encoding = draw(
        st.sampled_from(['mono8', 'rgb8', 'bgra8', '16UC1', '32FC1', 'bayer_rggb8', '', 'x'])
    )
    sizes = st.one_of(st.integers(0, 40), st.sampled_from([0, 1, 2**31, 2**32 - 1]))
    message.height, message.width, message.step = draw(sizes), draw(sizes), draw(sizes)
    message.is_bigendian = draw(st.integers(0, 255))
    message.data = draw(st.binary(max_size=200))
    return message


@st.composite
def infos(draw):
    message = CameraInfo(header=draw(headers))
    message.width, message.height = draw(numbers), draw(numbers)
    message.distortion_model = draw(
        st.sampled_from(['plumb_bob', 'equidistant', 'rational_polynomial', '', 'fish'])
    )
    message.k = draw(st.lists(anything, min_size=9, max_size=9))
    message.d = draw(st.lists(anything, max_size=9))
    return message


@st.composite
def odometries(draw):
    message = Odometry(header=draw(headers))
    p, q = message.pose.pose.position, message.pose.pose.orientation
    p.x, p.y, p.z = (draw(anything) for _ in range(3))
    q.x, q.y, q.z, q.w = (draw(anything) for _ in range(4))
    message.pose.covariance = draw(st.lists(anything, min_size=36, max_size=36))
    return message


@st.composite
def clouds(draw):
    if draw(st.booleans()):  # well-formed, with any numbers in it
        count = draw(st.integers(0, 4))
        values = st.lists(st.floats(width=32), min_size=count, max_size=count)
        points = np.array([draw(values) for _ in range(3)]).T.reshape(count, 3)
        sightings = Sightings(
            'mav1', 0, points, np.array(draw(values)), np.array(draw(values))
        )  # fmt: skip
        with np.errstate(all='ignore'):
            return sightings_to_cloud(sightings, draw(headers))
    message = PointCloud2(header=draw(headers))
    message.height, message.width = draw(numbers), draw(numbers)
    message.point_step, message.row_step = draw(numbers), draw(numbers)
    field = st.builds(
        PointField,
        name=st.sampled_from(['x', 'y', 'z', 'bearing_var', 'range_var', 'score', 'rgb', '']),
        offset=numbers, datatype=st.integers(0, 255), count=numbers,
    )  # fmt: skip
    message.fields = draw(st.lists(field, max_size=8))
    message.data = draw(st.binary(max_size=100))
    return message


def assault(bench, topic, messages, sound, answered, every=50):
    """Publish any messages on a topic, and sound ones between them that must be answered."""
    kind = type(sound(0))
    publisher = bench.publisher(kind, topic)
    sent = 0

    @FUZZ
    @given(messages)
    def throw(message):
        nonlocal sent
        publisher.publish(message)
        bench.executor.spin_once(timeout_sec=0.0)
        bench.executor.spin_once(timeout_sec=0.0)
        sent += 1
        if sent % every == 0:
            before = answered()

            def again():
                nonlocal sent
                sent += 1
                publisher.publish(sound(sent))
                bench.executor.spin_once(timeout_sec=0.02)
                return answered() > before

            assert bench.until(again, timeout=10.0), f'no answer after {message}'

    throw()
    assert sent >= min(EXAMPLES, 100)


def test_images(bench):
    bench.start(SegmentationNode, 'image_qos:=reliable')
    masks = bench.collect(Image, '/mav1/segmentation/mask')

    def sound(k):
        header = Header(stamp=ns_to_stamp(nanoseconds(100.0 + k)))
        return array_to_image(np.full((64, 64), 90, np.uint8), header)

    assault(bench, '/mav1/camera/image_raw', images(), sound, lambda: len(masks))


CAMERA = PinholeCamera.with_field_of_view(64, 48, 1.5)


@pytest.mark.parametrize('topic', ['segmentation/mask', 'camera/camera_info'])
def test_masks_and_camera_infos(bench, topic):
    bench.start(DetectionNode, 'use_confidence:=false', 'camera_info_qos:=reliable')
    found = bench.collect(PointCloud2, '/mav1/detection/relative_measurements')
    info = bench.publisher(CameraInfo, '/mav1/camera/camera_info')
    mask = bench.publisher(Image, '/mav1/segmentation/mask')

    def header(k):
        return Header(stamp=ns_to_stamp(nanoseconds(100.0 + k)))

    def masked(k):
        info.publish(info_from_camera(CAMERA, header(k)))
        return array_to_image(np.ones((48, 64), np.uint8), header(k))

    def informed(k):
        mask.publish(array_to_image(np.ones((48, 64), np.uint8), header(k)))
        return info_from_camera(CAMERA, header(k))

    sound, messages = (masked, images()) if 'mask' in topic else (informed, infos())
    assault(bench, f'/mav1/{topic}', messages, sound, lambda: len(found))


@pytest.mark.parametrize('topic', ['odometry', 'detection/relative_measurements'])
def test_odometry_and_measurements(bench, tmp_path, topic):
    (tmp_path / 'team.yaml').write_text(
        'drones: [{name: mav1}, {name: mav2, start: [4, 0, 0, 3.14]}]'
    )
    node = bench.start(LocalizationNode, f'team_file:={tmp_path / "team.yaml"}', namespace='')
    poses = bench.collect(PoseWithCovarianceStamped, '/mav1/localization/pose')
    odometry = [bench.publisher(Odometry, f'/{n}/odometry') for n in ('mav1', 'mav2')]
    time = [1000.0]

    def moved():
        time[0] += 0.6
        message = Odometry(header=Header(stamp=ns_to_stamp(nanoseconds(time[0]))))
        message.pose.pose.orientation.w = 1.0
        return message

    def walked(_):
        message = moved()
        odometry[1].publish(message)
        return message

    def seen(_):
        message = walked(0)
        odometry[0].publish(message)
        points = np.array([[0.0, 0.0, 3.9]])
        stamp = nanoseconds(time[0] - 0.1)
        sightings = Sightings('mav1', stamp, points, np.array([1e-4]), np.array([0.01]))
        return sightings_to_cloud(sightings, Header(stamp=ns_to_stamp(stamp)))

    sound, messages = (walked, odometries()) if topic == 'odometry' else (seen, clouds())
    assault(bench, f'/mav1/{topic}', messages, sound, lambda: len(poses))
    state = node._localizer.filter.state
    assert np.isfinite(state.team.mean).all()
    assert np.linalg.eigvalsh(state.team.covariance).min() > -1e-9
