"""simulation_node and monitor_node alone, over real DDS."""

import json

import pytest

pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

import numpy as np
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from mav_perception.errors import ConfigurationError
from mav_perception.localization.team.team_file import save_team
from mav_perception.ros.messages.conversions import camera_from_info, image_to_array, ns_to_stamp
from mav_perception.ros.messages.point_clouds import ASSOCIATION_FIELDS, table_to_cloud
from mav_perception.ros.nodes.monitor_node import MonitorNode
from mav_perception.ros.nodes.simulation_node import SimulationNode
from mav_perception.simulation.flight.flight import scenario_team
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.types import nanoseconds


def test_every_drone_has_images_odometry_truth_and_a_clock(bench):
    bench.start(SimulationNode, 'drones:=2', 'duration:=3.0', 'lockstep:=false', namespace='')
    images = [bench.collect(Image, f'/mav{k}/camera/image_raw') for k in (1, 2)]
    infos = [bench.collect(CameraInfo, f'/mav{k}/camera/camera_info') for k in (1, 2)]
    odometry = [bench.collect(Odometry, f'/mav{k}/odometry') for k in (1, 2)]
    truth = [bench.collect(PoseStamped, f'/mav{k}/ground_truth/pose') for k in (1, 2)]
    clock = bench.collect(Clock, '/clock')
    assert bench.until(lambda: all(len(i) > 3 for i in images) and len(clock) > 20)
    for drone in range(2):
        image, info = images[drone][-1], infos[drone][-1]
        assert image.header.frame_id == f'mav{drone + 1}/camera_optical'
        assert image_to_array(image).shape == (512, 640, 3)
        assert image_to_array(image).std() > 5.0
        assert camera_from_info(info).width == image.width
        assert {i.header.stamp.nanosec for i in images[drone]} & {
            i.header.stamp.nanosec for i in infos[drone]
        }
        assert odometry[drone][-1].header.frame_id == f'mav{drone + 1}/odom'
        assert odometry[drone][-1].child_frame_id == f'mav{drone + 1}/base_link'
        assert len(truth[drone]) > 10


def test_every_camera_of_a_scenario_has_images_of_its_own(bench):
    bench.start(
        SimulationNode, 'scenario:=two_cameras', 'drones:=2', 'lockstep:=false', namespace=''
    )  # fmt: skip
    front = bench.collect(Image, '/mav1/camera/image_raw')
    rear = bench.collect(Image, '/mav1/rear/camera/image_raw')
    assert bench.until(lambda: len(front) > 2 and len(rear) > 2)
    assert rear[-1].header.frame_id == 'mav1/rear_optical'
    same = [(f, r) for f in front for r in rear if f.header.stamp == r.header.stamp]
    assert same
    assert (image_to_array(same[0][0]) != image_to_array(same[0][1])).any()


def test_an_unknown_scenario_is_refused(bench):
    with pytest.raises(ConfigurationError, match='nominal'):
        bench.start(SimulationNode, 'scenario:=moon', namespace='')


def test_the_process_ends_after_the_flight(bench):
    bench.start(SimulationNode, 'drones:=2', 'duration:=0.5', 'lockstep:=false', namespace='')
    with pytest.raises(SystemExit) as ending:
        bench.until(lambda: False, timeout=15.0)
    assert ending.value.code == 0


def test_impossible_flights_are_refused(bench):
    with pytest.raises(ConfigurationError, match='no lower than the frame rate'):
        bench.start(SimulationNode, 'frame_rate:=50.0', 'odometry_rate:=10.0', namespace='')


@pytest.mark.parametrize(('error', 'code'), [(0.01, 0), (3.0, 1)])
def test_the_monitor_judges_a_flight_and_writes_its_summary(bench, tmp_path, error, code):
    scenario = Scenario(drones=2, seed=1)
    team = scenario_team(scenario)
    save_team(team, tmp_path / 'team.yaml')
    bench.start(
        MonitorNode, f'team_file:={tmp_path / "team.yaml"}', 'duration:=2.0',
        f'output:={tmp_path / "out"}', namespace='',
    )  # fmt: skip
    publishers = [
        [
            bench.publisher(kind, f'/mav{k}/{topic}', qos_profile_sensor_data)
            for kind, topic in (
                (PoseStamped, 'ground_truth/pose'),
                (Odometry, 'odometry'),
                (PoseWithCovarianceStamped, 'localization/pose'),
            )
        ]
        for k in (1, 2)
    ]
    for step in range(22):
        header = Header(stamp=ns_to_stamp(nanoseconds(0.1 * step)))
        for drone, (truth, odometry, pose) in enumerate(publishers):
            t, o, p = PoseStamped(header=header), Odometry(header=header), None
            p = PoseWithCovarianceStamped(header=header)
            x = float(team[drone].start[0] + 1.0)  # the start that was told is 1 m off
            t.pose.position.x, p.pose.pose.position.x = x, x + error * (1 - 2 * drone)
            for pose_field in (t.pose, o.pose.pose, p.pose.pose):
                pose_field.orientation.w = 1.0
            p.pose.covariance = (0.01 * np.eye(6)).ravel()
            truth.publish(t)
            odometry.publish(o)
            pose.publish(p)
        bench.executor.spin_once(timeout_sec=0.01)
    with pytest.raises(SystemExit) as ending:
        bench.until(lambda: False, timeout=15.0)
    assert ending.value.code == code
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['beats_vio'] == (code == 0)
    assert (tmp_path / 'out' / 'tracks.png').is_file()


def test_associations_of_nobody_are_named_until_sound_ones_come(bench, tmp_path):
    save_team(scenario_team(Scenario(drones=2)), tmp_path / 'team.yaml')
    node = bench.start(
        MonitorNode, f'team_file:={tmp_path / "team.yaml"}', f'output:={tmp_path / "out"}',
        'live:=false', 'pose_prefix:=/own', namespace='',
    )  # fmt: skip
    publisher = bench.publisher(PointCloud2, '/own/mav1/localization/associations')
    row = np.array([[1.0, 0.0, 0.0, 1.0, 0.9, 2.0, 3.0, 0.0, 0.0, 1.0]])
    for table, text in (
        (row * np.nan, 'hold NaN'),
        (row * [1, 1, 1, 1, 1, 1, 1, 0, 0, 0], 'in the camera itself'),
    ):
        publisher.publish(table_to_cloud(ASSOCIATION_FIELDS, table, Header()))
        assert bench.until(lambda text=text: text in str(node._problems))
    publisher.publish(PointCloud2(width=1, height=1))
    assert bench.until(lambda: "'x'" in str(node._problems))
    publisher.publish(table_to_cloud(ASSOCIATION_FIELDS, row, Header()))
    assert bench.until(lambda: node._frames)
    assert node._problems == {}
    assert node._frames[0].nis_size == 3


def test_a_monitor_that_is_ended_writes_its_report_without_any_truth(bench, tmp_path):
    save_team(scenario_team(Scenario(drones=2)), tmp_path / 'team.yaml')
    folder = tmp_path / 'out'
    node = bench.start(
        MonitorNode, f'team_file:={tmp_path / "team.yaml"}', f'output:={folder}', 'live:=false',
        namespace='',
    )  # fmt: skip
    for k in (1, 2):
        odometry = bench.publisher(Odometry, f'/mav{k}/odometry', qos_profile_sensor_data)
        pose = bench.publisher(
            PoseWithCovarianceStamped, f'/mav{k}/localization/pose', qos_profile_sensor_data
        )
        for step in range(5):
            header = Header(stamp=ns_to_stamp(nanoseconds(1.0 + step)))
            o, p = Odometry(header=header), PoseWithCovarianceStamped(header=header)
            o.pose.pose.orientation.w = p.pose.pose.orientation.w = 1.0
            p.pose.covariance = (0.01 * np.eye(6)).ravel()
            odometry.publish(o)
            pose.publish(p)
        assert bench.until(lambda k=k: len(node._drones[k - 1].log.estimate) == 5)
    node.close()
    assert 'Nobody knows the true paths' in (folder / 'report.html').read_text()
    written = (folder / 'report.html').stat().st_mtime_ns
    node.close()  # once is enough
    assert (folder / 'report.html').stat().st_mtime_ns == written
