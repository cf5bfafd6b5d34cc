"""The launch files, started for real by launch_pytest; skipped where launch is not installed."""

import itertools
import json
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

REASON = 'launch, launch_ros and launch_pytest come with ROS 2 and are on no package index'
launch_pytest = pytest.importorskip('launch_pytest', reason=REASON)
pytest.importorskip('launch_ros', reason=REASON)

import rclpy  # noqa: E402
from ament_index_python.packages import get_package_share_directory  # noqa: E402
from geometry_msgs.msg import PoseWithCovarianceStamped  # noqa: E402
from launch.actions import (  # noqa: E402
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
)
from launch.launch_description_sources import AnyLaunchDescriptionSource  # noqa: E402
from launch_ros.actions import PushRosNamespace  # noqa: E402
from nav_msgs.msg import Odometry  # noqa: E402
from rcl_interfaces.srv import GetParameters  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image, PointCloud2  # noqa: E402
from std_msgs.msg import Float32MultiArray, Header  # noqa: E402

from launch import LaunchDescription  # noqa: E402
from mav_perception.cameras.models import PinholeCamera  # noqa: E402
from mav_perception.ros.messages.conversions import (  # noqa: E402
    array_to_image,
    info_from_camera,
    ns_to_stamp,
)

LAUNCH = Path(get_package_share_directory('mav_perception')) / 'launch'
FILES = sorted(p.name for p in LAUNCH.glob('*.launch.*'))


def description_of(file, **arguments):
    """Return a launch description that includes a file and then lets the test run."""
    source = AnyLaunchDescriptionSource(str(LAUNCH / file))
    include = IncludeLaunchDescription(source, launch_arguments=list(arguments.items()))
    return LaunchDescription([include, launch_pytest.actions.ReadyToTest()])


@pytest.fixture
def tester():
    """Give a real node that talks to what was launched."""
    rclpy.init()
    node = rclpy.create_node('launch_tester')
    yield node
    node.destroy_node()
    rclpy.shutdown()


def spin_until(node, condition, timeout=30.0):
    """Spin a node until a condition holds; return whether it does."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not condition():
        rclpy.spin_once(node, timeout_sec=0.05)
    return condition()


def fed_until(publishers, received):
    """Return a condition that sends odometry of a drone at rest until something is received."""
    steps = itertools.count(1)

    def condition():
        message = Odometry(header=Header(stamp=ns_to_stamp(10**9 + next(steps) * 10**8)))
        message.pose.pose.orientation.w = 1.0
        for publisher in publishers:
            publisher.publish(message)
        return bool(received)

    return condition


def shipped(name):
    """Return the parameters that are shipped for a node."""
    text = (LAUNCH.parent / 'config' / f'{name}.yaml').read_text()
    return yaml.safe_load(text)['/**']['ros__parameters']


def running(node):
    """Return the full names of all nodes that are up."""
    return {f'{space.rstrip("/")}/{name}' for name, space in node.get_node_names_and_namespaces()}


def test_every_file_is_installed():
    assert FILES == [
        'demo.launch.py', 'gazebo.launch.py', 'inspection.launch.xml', 'localization.launch.xml',
        'replay.launch.py', 'team.launch.py', 'vehicle.launch.xml',
    ]  # fmt: skip


@pytest.mark.parametrize('file', FILES)
def test_every_argument_is_described(file):
    from launch import LaunchContext

    description = AnyLaunchDescriptionSource(str(LAUNCH / file)).get_launch_description(
        LaunchContext()
    )
    arguments = [e for e in description.entities if isinstance(e, DeclareLaunchArgument)]
    assert len(arguments) >= 5
    assert all(len(a.description) > 10 for a in arguments)


@launch_pytest.fixture
def vehicle():
    """Launch one drone."""
    return description_of('vehicle.launch.xml', namespace='mav7', model='sim')


@pytest.mark.launch(fixture=vehicle)
def test_vehicle_turns_images_into_measurements(tester):
    clouds = []
    tester.create_subscription(
        PointCloud2, '/mav7/detection/relative_measurements', clouds.append, 10
    )
    image = tester.create_publisher(Image, '/mav7/camera/image_raw', 10)
    info = tester.create_publisher(CameraInfo, '/mav7/camera/camera_info', 10)
    camera = PinholeCamera.with_field_of_view(640, 512, 1.5)
    assert spin_until(
        tester, lambda: image.get_subscription_count() and info.get_subscription_count()
    )
    header = Header(stamp=ns_to_stamp(10**9))

    def answered():
        info.publish(info_from_camera(camera, header))
        image.publish(array_to_image(np.full((512, 640), 90, np.uint8), header))
        return bool(clouds)

    assert spin_until(tester, answered)
    assert '/mav7/camera_node' in running(tester)


@launch_pytest.fixture
def inspection():
    """Launch the inspection of a surface."""
    return description_of('inspection.launch.xml', namespace='eye')


@pytest.mark.launch(fixture=inspection)
def test_inspection_tells_the_area_of_every_class(tester):
    shares = []
    tester.create_subscription(
        Float32MultiArray, '/eye/segmentation/area_shares', shares.append, 10
    )
    image = tester.create_publisher(Image, '/eye/camera/image_raw', 10)
    assert spin_until(tester, image.get_subscription_count)
    header = Header(stamp=ns_to_stamp(10**9))

    def answered():
        image.publish(array_to_image(np.full((512, 640, 3), 90, np.uint8), header))
        return bool(shares)

    assert spin_until(tester, answered)
    assert shares[0].layout.dim[0].label == 'background corrosion rivet water'
    assert abs(sum(shares[0].data) - 1.0) < 1e-5


@launch_pytest.fixture
def localization(tmp_path_factory):
    """Launch the localization node with the shipped team, one own parameter, and a recorder."""
    folder = tmp_path_factory.mktemp('record')
    localization.bag = folder / 'bag'
    (folder / 'mine.yaml').write_text(
        '/**/localization_node: {ros__parameters: {max_objects: 5}}\n'
    )
    return description_of(
        'localization.launch.xml', record=str(localization.bag),
        params_file=str(folder / 'mine.yaml'),
    )  # fmt: skip


@pytest.mark.launch(fixture=localization)
def test_parameters_of_the_user_are_read_over_the_shipped_ones(tester):
    client = tester.create_client(GetParameters, '/localization_node/get_parameters')
    assert spin_until(tester, client.service_is_ready)
    names = ['max_objects', 'error_correlation']
    answer = client.call_async(GetParameters.Request(names=names))
    assert spin_until(tester, answer.done)
    values = answer.result().values
    assert values[0].integer_value == 5
    assert values[1].double_value == shipped('localization')['error_correlation']


@pytest.mark.launch(fixture=localization)
def test_localization_turns_odometry_into_poses(tester):
    poses = []
    tester.create_subscription(
        PoseWithCovarianceStamped, '/mav3/localization/pose', poses.append, 10
    )
    publishers = [tester.create_publisher(Odometry, f'/mav{k}/odometry', 10) for k in range(1, 5)]
    assert spin_until(tester, lambda: all(p.get_subscription_count() for p in publishers))
    assert spin_until(tester, fed_until(publishers, poses))
    assert spin_until(tester, lambda: list(localization.bag.glob('*.mcap')))


@launch_pytest.fixture
def team():
    """Launch the shipped team of four."""
    return description_of('team.launch.py', model='sim')


@pytest.mark.launch(fixture=team)
def test_team_starts_every_node_of_every_drone(tester):
    expected = {f'/mav{k}/camera_node' for k in range(1, 5)}
    expected.add('/localization_node')
    assert spin_until(tester, lambda: running(tester) >= expected), running(tester)


@launch_pytest.fixture
def fleet(tmp_path_factory):
    """Launch a team below a namespace, one drone with topics of its own, nodes apart."""
    path = tmp_path_factory.mktemp('fleet') / 'team.yaml'
    path.write_text(
        'drones:\n- {name: a, start: [0, 0, 1, 0], start_sigma: [0, 0, 0, 0]}\n'
        '- {name: b, start: [3, 0, 1, 3.1], odometry: vio/odom, image: cam/image, '
        'camera_info: cam/info}\n'
    )
    team = description_of(
        'team.launch.py', model='sim', team_file=str(path), namespace='filter',
        separate_nodes='true',
    )  # fmt: skip
    return LaunchDescription([GroupAction([PushRosNamespace('fleet'), *team.entities[:1]]),
                              *team.entities[1:]])  # fmt: skip


@pytest.mark.launch(fixture=fleet)
def test_a_pushed_namespace_moves_the_whole_team_and_a_drone_has_topics_of_its_own(tester):
    nodes = {f'/fleet/{d}/{n}_node' for d in 'ab' for n in ('segmentation', 'detection')}
    nodes.add('/fleet/filter/localization_node')
    assert spin_until(tester, lambda: running(tester) >= nodes), running(tester)
    poses = []
    tester.create_subscription(
        PoseWithCovarianceStamped, '/fleet/b/localization/pose', poses.append, 10
    )
    vio = [
        tester.create_publisher(Odometry, f'/fleet/{topic}', 10)
        for topic in ('a/odometry', 'b/vio/odom')
    ]
    assert spin_until(tester, lambda: all(p.get_subscription_count() for p in vio))
    for topic in ('/fleet/b/cam/image', '/fleet/b/cam/info', '/fleet/a/camera/image_raw'):
        assert spin_until(tester, lambda name=topic: tester.count_subscribers(name)), topic
    assert spin_until(tester, fed_until(vio, poses))


@launch_pytest.fixture
def demo(tmp_path_factory):
    """Launch a short demo."""
    folder = tmp_path_factory.mktemp('demo')
    demo.output = folder
    return description_of(
        'demo.launch.py', drones='2', duration='6.0', seed='1', output=str(folder)
    )


@pytest.mark.launch(fixture=demo)
def test_demo_flies_and_writes_its_summary(tester):
    path = demo.output / 'summary.json'
    assert spin_until(tester, path.is_file, timeout=90.0)
    assert json.loads(path.read_text())['frames_lost'] == 0


@launch_pytest.fixture
def replay(tmp_path_factory):
    """Launch the recorded flight of the tests."""
    folder, flight = tmp_path_factory.mktemp('bag'), Path(__file__).parents[1] / 'ros/flight_bag'
    with tarfile.open(flight / 'bag.tar.xz') as archive:
        archive.extractall(folder, filter='data')
    replay.report = folder / 'report/report.html'
    return description_of(
        'replay.launch.py', bag=str(folder / 'bag'), team_file=str(flight / 'team.yaml'),
        rate='2.0', report=str(folder / 'report'),
    )  # fmt: skip


@pytest.mark.launch(fixture=replay)
def test_a_recorded_flight_is_localized_and_reported_when_it_is_ended(tester):
    poses = []
    tester.create_subscription(
        PoseWithCovarianceStamped, '/mav2/localization/pose', poses.append, 10
    )
    assert spin_until(tester, lambda: len(poses) > 5)
    yield  # the rest is looked at after everything was shut down
    assert 'NEES' in replay.report.read_text()
