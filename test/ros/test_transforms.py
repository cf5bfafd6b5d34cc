"""tf: the tree of the messages' own frames, whole, at the times at which images are taken."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from mav_perception.io.messages import stamp_to_ns
from mav_perception.localization.team.team_file import load_team
from mav_perception.ros.localization.frames import FrameNames
from mav_perception.ros.messages.conversions import fill_pose, ns_to_stamp
from mav_perception.ros.messages.point_clouds import sightings_to_cloud
from mav_perception.ros.messages.transforms import (
    TF,
    TF_STATIC,
    TF_STATIC_QOS,
    WITHOUT_TF,
    tf2_msgs,
    transform,
)
from mav_perception.ros.nodes.localization_node import LocalizationNode
from mav_perception.types import Sightings, nanoseconds

TEAM = """
drones:
  - name: mav1
    start: [0, 0, 1, 0.5]
    start_sigma: [0, 0, 0, 0]
    camera_translation: [0.1, 0.02, -0.03]
    camera_rotation: [0.0, 0.3, 0.1]
  - {name: mav2, start: [4.0, 0, 1, 3.0], start_sigma: [0.2, 0.2, 0.1, 0.05]}
"""
BEGIN_NS = 1_795_000_000 * 10**9
CAMERA = 'cam/optical'

needs_tf = pytest.mark.skipif(bool(WITHOUT_TF), reason=f'{WITHOUT_TF} It comes with ROS 2')


class Buffer:
    """Keeps transforms as tf2 does: newest parent, linear between two stamps, static for ever."""

    def __init__(self, bench):
        self.edges, self.static = {}, {}
        bench.tester.create_subscription(tf2_msgs.TFMessage, TF, self.take, 100)
        bench.tester.create_subscription(
            tf2_msgs.TFMessage, TF_STATIC, self.take_static, TF_STATIC_QOS
        )

    def take(self, message):
        for item in message.transforms:
            stamps = self.edges.setdefault(item.child_frame_id, (item.header.frame_id, {}))[1]
            stamps[stamp_to_ns(item.header.stamp)] = matrix(item.transform)

    def take_static(self, message):
        for item in message.transforms:
            self.static[item.child_frame_id] = item.header.frame_id, matrix(item.transform)

    def lookup(self, target, frame, stamp_ns):
        """Return T_target_frame at a stamp, None where it would need extrapolation."""
        result = np.eye(4)
        while frame != target:
            if frame in self.static:
                frame, step = self.static[frame]
            else:
                frame, stamps = self.edges[frame]
                known = np.array(sorted(stamps))
                if not known[0] <= stamp_ns <= known[-1]:
                    return None
                step = stamps[known[np.argmin(np.abs(known - stamp_ns))]]
            result = step @ result
        return result


def matrix(pose):
    there, turned = pose.translation, pose.rotation
    result = np.eye(4)
    result[:3, :3] = Rotation.from_quat([turned.x, turned.y, turned.z, turned.w]).as_matrix()
    result[:3, 3] = there.x, there.y, there.z
    return result


def odometry(drone, seconds, frame='', base=''):
    """Return what a VIO says that flies ahead, rolled a little."""
    header = Header(stamp=ns_to_stamp(BEGIN_NS + nanoseconds(seconds)), frame_id=frame)
    message = Odometry(header=header, child_frame_id=base)
    turned = Rotation.from_euler('ZYX', [0.2 * seconds, 0.02, 0.05]).as_quat()
    fill_pose(message.pose.pose, np.array([0.3 * seconds, 0.1, 0.0]), turned)
    return message


def looked(seconds, frame=CAMERA):
    stamp_ns = BEGIN_NS + nanoseconds(seconds)
    none = np.zeros(0)
    sightings = Sightings('mav1', stamp_ns, np.zeros((0, 3)), none, none)
    return sightings_to_cloud(sightings, Header(stamp=ns_to_stamp(stamp_ns), frame_id=frame))


@pytest.fixture
def chain(bench, tmp_path):
    """Start localization, and whoever talks to it."""
    (tmp_path / 'team.yaml').write_text(TEAM)
    bench.start(LocalizationNode, f'team_file:={tmp_path}/team.yaml', namespace='')
    bench.team = load_team(tmp_path / 'team.yaml')
    bench.diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    bench.vio = {n: bench.publisher(Odometry, f'/{n}/odometry', 100) for n in ('mav1', 'mav2')}
    bench.cloud = bench.publisher(PointCloud2, '/mav1/detection/relative_measurements')
    return bench


def fly(chain, frames, seconds=3.0):
    """Fly in real time at 20 Hz, so that others have their second to tell of cameras."""
    own = chain.tester.create_publisher(tf2_msgs.TFMessage, TF, 100) if tf2_msgs else None
    for step in range(int(20 * seconds)):
        for drone, publisher in chain.vio.items():
            message = odometry(drone, 0.05 * step, *frames[drone])
            publisher.publish(message)
            if own is not None and message.header.frame_id:
                p, q = message.pose.pose.position, message.pose.pose.orientation
                item = transform(
                    stamp_to_ns(message.header.stamp), message.header.frame_id,
                    message.child_frame_id, [p.x, p.y, p.z], [q.x, q.y, q.z, q.w],
                )  # fmt: skip
                own.publish(tf2_msgs.TFMessage(transforms=[item]))
        if step % 4 == 0:
            chain.cloud.publish(looked(0.05 * step))
        chain.until(lambda: False, timeout=0.05)
    chain.until(lambda: False, timeout=0.5)


@needs_tf
def test_the_camera_is_found_in_map_at_every_image_and_the_base_at_the_newest_odometry(chain):
    buffer = Buffer(chain)
    poses = chain.collect(PoseWithCovarianceStamped, '/mav1/localization/pose', 100)
    fly(chain, {'mav1': ('vio_a', 'body_a'), 'mav2': ('vio_b', 'body_b')})
    assert buffer.static[CAMERA][0] == 'body_a'
    mount = chain.team[0].cameras[0].mount()
    in_base = np.eye(4)
    in_base[:3, :3], in_base[:3, 3] = mount.rotation.T, mount.translation
    compared = 0
    for message in poses[5:]:
        stamp_ns = stamp_to_ns(message.header.stamp)
        found = buffer.lookup('map', CAMERA, stamp_ns)
        pose, expected = message.pose.pose, np.eye(4)
        q = pose.orientation
        expected[:3, :3] = Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix()
        expected[:3, 3] = pose.position.x, pose.position.y, pose.position.z
        np.testing.assert_allclose(found, expected @ in_base, atol=1e-6)
        compared += 1
    assert compared > 5
    newest = BEGIN_NS + nanoseconds(2.95)
    assert buffer.lookup('map', 'body_b', newest) is not None


@needs_tf
def test_a_camera_of_which_somebody_else_tells_is_left_to_them(chain):
    theirs = chain.tester.create_publisher(tf2_msgs.TFMessage, TF_STATIC, TF_STATIC_QOS)
    item = transform(0, 'gimbal', CAMERA, [0.0, 0.0, 0.1], [0.0, 0.0, 0.0, 1.0])
    theirs.publish(tf2_msgs.TFMessage(transforms=[item]))
    buffer = Buffer(chain)
    fly(chain, {'mav1': ('vio_a', 'body_a'), 'mav2': ('vio_b', 'body_b')}, seconds=2.0)
    assert buffer.static[CAMERA][0] == 'gimbal'


@needs_tf
def test_two_drones_with_one_frame_are_named(chain):
    fly(chain, {'mav1': ('odom', 'base_link'), 'mav2': ('odom', 'base_link')}, seconds=1.0)
    assert chain.problem(chain.diagnostics, "both call their odometry frame 'odom'")


class Told:
    """Takes what diagnostics are told."""

    def __init__(self):
        self.texts = []

    def problem(self, code, text):
        self.texts.append(text)


@pytest.mark.parametrize(
    ('given', 'heard', 'frame', 'said'),
    [
        ('', ['vio'], 'vio', ''),
        ('', ['/vio'], 'vio', ''),
        ('', [''], 'mav1/odom', 'names no frame'),
        ('{name}/o', ['vio'], 'mav1/o', ''),
        ('', ['vio', 'other'], 'other', "was 'vio' and is 'other' now"),
    ],
)
def test_frames_are_those_of_the_messages_unless_a_parameter_says_otherwise(
    given, heard, frame, said
):
    told = Told()
    names = FrameNames('odometry', told, given, '{name}/odom', 'rename one')
    assert [names.heard('mav1', item) for item in heard][-1] == frame
    assert names.of('mav1') == frame
    assert (said in ' '.join(told.texts)) if said else not told.texts


def test_one_frame_of_two_drones_is_refused_and_the_cure_is_said():
    told = Told()
    names = FrameNames('odometry', told, '', '{name}/odom', 'rename one')
    assert names.heard('mav1', 'odom') == 'odom'
    assert names.heard('mav2', 'odom') is None
    assert 'mav1 and mav2' in told.texts[0]
    assert 'rename one' in told.texts[0]
