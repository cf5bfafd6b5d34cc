"""localization_node alone: odometry and sightings in, poses out, bad input named."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.parameter import Parameter
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from mav_perception.io.messages import cloud_to_sightings, cloud_to_table, stamp_to_ns
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.joining import with_drone
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team_file import load_team, team_from_entries
from mav_perception.localization.timing import sighting_queue
from mav_perception.ros.localization import frame_intake
from mav_perception.ros.messages.conversions import ns_to_stamp
from mav_perception.ros.messages.point_clouds import sightings_to_cloud
from mav_perception.ros.monitor.association_frames import cloud_to_frame
from mav_perception.ros.nodes.localization_node import LocalizationNode
from mav_perception.types import OdometrySample, Sightings, nanoseconds

TEAM = """
drones:
  - {name: mav1, start: [0, 0, 1, 0], start_sigma: [0, 0, 0, 0]}
  - {name: mav2, start: [4.3, 0, 1, 3.14159], start_sigma: [0.5, 0.5, 0.2, 0.1]}
"""


def at(time):
    """Return the stamp of a time in seconds, on a day of the past: real robots have Unix time."""
    return 1_700_000_000 * 10**9 + nanoseconds(time)


def odometry(time, x=0.0, w=1.0):
    message = Odometry(header=Header(stamp=ns_to_stamp(at(time))))
    message.pose.pose.position.x = x
    message.pose.pose.orientation.w = w
    return message


def cloud(time, points=((0.0, 0.0, 3.9),), range_var=0.01):
    count = len(points)
    sightings = Sightings(
        'mav1', at(time), np.array(points).reshape(-1, 3), np.full(count, 1e-4),
        np.full(count, range_var),
    )  # fmt: skip
    return sightings_to_cloud(sightings, Header(stamp=ns_to_stamp(sightings.stamp_ns)))


@pytest.fixture
def team_file(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text(TEAM)
    return path


@pytest.fixture
def chain(bench, team_file):
    bench.start(LocalizationNode, f'team_file:={team_file}', namespace='')
    bench.poses = {
        n: bench.collect(PoseWithCovarianceStamped, f'/{n}/localization/pose')
        for n in ('mav1', 'mav2')
    }
    bench.diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    bench.markers = bench.collect(MarkerArray, '/team/markers')
    bench.odometry = {n: bench.publisher(Odometry, f'/{n}/odometry') for n in ('mav1', 'mav2')}
    bench.cloud = bench.publisher(PointCloud2, '/mav1/detection/relative_measurements')
    return bench


def fly(chain, *times):
    for time in times:
        for publisher in chain.odometry.values():
            publisher.publish(odometry(time))


def test_a_sighting_moves_the_target_and_shrinks_its_covariance(chain):
    fly(chain, 0.5, 1.0, 1.5)
    chain.cloud.publish(cloud(1.2))
    assert chain.until(lambda: chain.poses['mav1'])
    pose = chain.poses['mav1'][0]
    assert pose.header.frame_id == 'map'
    assert pose.header.stamp == ns_to_stamp(at(1.2))
    fly(chain, 3.0)  # one second without a frame of its own: mav2's pose follows its odometry
    assert chain.until(lambda: chain.poses['mav2'])
    seen = chain.poses['mav2'][-1].pose
    assert seen.pose.position.x == pytest.approx(4.0, abs=0.1)
    assert seen.covariance[0] < 0.1
    assert chain.until(lambda: chain.markers)
    assert {m.ns for m in chain.markers[-1].markers} == {'covariance', 'name', 'trail'}


@pytest.mark.parametrize('first', ['mav1', 'mav2'])
@pytest.mark.parametrize('begin', [0, 1_000_000, 1_700_000_000])
def test_the_pose_is_that_of_the_core_at_any_time_of_day(chain, team_file, begin, first):
    """Simulated time, uptime and real time, seconds; what is ahead of the clock is refused."""
    team = team_from_entries(load_team(team_file))
    localizer = TeamLocalizer(CoupledPdaFilter(team, FilterParameters()))
    for time in (0.5, 1.0, 1.5):
        for name in ('mav1', 'mav2'):
            still = OdometrySample(at(time), np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
            localizer.add_odometry(name, still)
    frame = cloud(1.2)
    localizer.update(cloud_to_sightings(frame, 'mav1'))
    expected = localizer.pose(1, at(1.5))

    def moved(message):
        message.header.stamp.sec += begin - at(0) // 10**9
        return message

    for name in sorted(chain.odometry, key=lambda name: name != first):
        for time in (0.5, 1.0, 1.5):
            chain.odometry[name].publish(moved(odometry(time)))
    chain.cloud.publish(moved(frame))
    assert chain.until(lambda: chain.poses['mav2'])
    pose = chain.poses['mav2'][0]
    assert pose.header.stamp.sec == begin + 1
    found = pose.pose.pose.position
    np.testing.assert_allclose([found.x, found.y, found.z], expected.mean[:3], atol=1e-9)
    covariance = np.array(pose.pose.covariance).reshape(6, 6)[:3, :3]
    np.testing.assert_allclose(covariance, expected.covariance[:3, :3], atol=1e-9)


def test_whoever_listens_hears_for_whom_each_sighting_was_taken(chain):
    heard = chain.collect(PointCloud2, '/mav1/localization/associations')
    fly(chain, 0.5, 1.0, 1.5)
    chain.cloud.publish(cloud(1.2, points=((0.0, 0.0, 3.9), (-3.0, 0.0, 3.0))))
    assert chain.until(lambda: heard)
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))
    frame = cloud_to_frame(heard[0], 0, mount)
    assert heard[0].header.frame_id == 'map'
    places = cloud_to_table(heard[0], ('x', 'y', 'z'), 'Associations')
    np.testing.assert_allclose(places[0], [4.0, 0.0, 1.0], atol=1e-3)  # the mount is 0.1 m ahead
    assert frame.stamp_ns == at(1.2)
    np.testing.assert_array_equal(frame.origin, [1, -1])
    np.testing.assert_allclose(frame.positions[1], [-3.0, 0.0, 3.0])
    assert frame.nis_size == 3
    assert frame.nis > 0.0


@pytest.mark.parametrize(
    ('message', 'word'),
    [
        (odometry(2.0, x=float('nan')), 'diverged'),
        (odometry(2.0, x=1e200), 'diverged'),
        (odometry(2.0, w=0.0), 'norm'),
        (odometry(1.0), 'duplicate'),
        (odometry(4e8), 'in the future'),
    ],
)
def test_bad_odometry_is_named_and_the_chain_goes_on(chain, message, word):
    fly(chain, 0.5, 1.0)
    chain.odometry['mav1'].publish(message)
    assert chain.problem(chain.diagnostics, word)
    fly(chain, 2.5)
    chain.cloud.publish(cloud(2.2))
    assert chain.until(lambda: chain.poses['mav1'])


@pytest.mark.parametrize(
    ('message', 'word'),
    [
        (cloud(1.0, points=((float('nan'), 0.0, 1.0),)), 'NaN'),
        (cloud(1.0, range_var=0.0), 'not positive'),
        (PointCloud2(width=1, height=1), "'x'"),
    ],
)
def test_bad_sightings_are_named_and_the_chain_goes_on(chain, message, word):
    heard = chain.collect(PointCloud2, '/mav1/localization/associations')
    fly(chain, 0.5, 1.0)
    chain.cloud.publish(message)
    assert chain.problem(chain.diagnostics, word)
    if stamp_to_ns(message.header.stamp):  # who waits for this frame need not wait on
        assert chain.until(lambda: heard)
        assert (heard[0].width, heard[0].header.stamp) == (0, message.header.stamp)
    fly(chain, 1.5)
    chain.cloud.publish(cloud(1.4))
    assert chain.until(lambda: chain.poses['mav1'])


def test_of_a_crowded_frame_the_surest_sightings_are_used(bench, team_file):
    bench.start(LocalizationNode, f'team_file:={team_file}', 'max_sightings:=5', namespace='')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    heard = bench.collect(PointCloud2, '/mav1/localization/associations')
    bench.odometry = {n: bench.publisher(Odometry, f'/{n}/odometry') for n in ('mav1', 'mav2')}
    clouds = bench.publisher(PointCloud2, '/mav1/detection/relative_measurements')
    fly(bench, 0.5, 1.0, 1.5)
    clouds.publish(cloud(1.2, points=[(0.1 * k, 0.0, 3.9) for k in range(40)]))
    assert bench.problem(diagnostics, '40 sightings in a frame of mav1: only the 5')
    assert bench.until(lambda: heard)
    assert heard[0].width == 5


def test_frames_that_cost_too_much_do_not_keep_odometry_out(chain, monkeypatch):
    """A machine that does not keep up: a frame takes longer than the node may be busy."""
    monkeypatch.setattr(frame_intake, 'BUSY_NS', 0)
    monkeypatch.setattr(sighting_queue, 'OVERDUE_NS', nanoseconds(0.5))
    heard = chain.collect(PointCloud2, '/mav1/localization/associations')
    fly(chain, 0.5, 1.0, 1.5)
    for k in range(8):
        chain.cloud.publish(cloud(0.6 + 0.1 * k))
    assert chain.until(lambda: len(chain.poses['mav1']) >= 2)  # one a message
    frames = chain.node._frames
    assert chain.until(lambda: frames.fates['mav1'].arrived == 8)
    chain.until(lambda: False, timeout=2.0)
    assert frames.fates['mav1'].waiting == 0
    assert chain.until(lambda: len(heard) == 8)  # the frames that were not used, too


def test_it_says_whose_odometry_it_waits_for(chain):
    chain.odometry['mav1'].publish(odometry(1.0))
    assert chain.problem(chain.diagnostics, 'Waiting for the odometry of mav2')


@pytest.mark.parametrize(
    ('text', 'word'),
    [('drones: [{name: mav1}]', 'at least two'), ('drons: []', 'needs a list')],
)
def test_a_broken_team_file_is_named_and_can_be_mended(bench, team_file, text, word):
    team_file.write_text(text)
    node = bench.start(LocalizationNode, f'team_file:={team_file}', namespace='')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    assert bench.problem(diagnostics, word)
    team_file.write_text(TEAM)
    node.trigger_configure()
    node.trigger_activate()
    assert bench.until(lambda: node._running)


def test_a_parameter_outside_its_range_is_refused(bench, team_file):
    node = bench.start(
        LocalizationNode, f'team_file:={team_file}', 'autostart:=false', namespace=''
    )
    result = node.set_parameters([Parameter('detection_probability', value=1.5)])[0]
    assert not result.successful


def test_a_drone_whose_start_is_unknown_has_no_pose_and_the_reason_is_told(bench, team_file):
    team_file.write_text('drones: [{name: mav1}, {name: mav2, start: unknown}]')
    bench.start(LocalizationNode, f'team_file:={team_file}', namespace='')
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    poses = bench.collect(PoseWithCovarianceStamped, '/mav2/localization/pose')
    publishers = [bench.publisher(Odometry, f'/{n}/odometry') for n in ('mav1', 'mav2')]
    for time in (0.5, 1.0, 1.5, 2.0):
        for publisher in publishers:
            publisher.publish(odometry(time))
    assert bench.problem(diagnostics, 'mav2 has no pose')
    assert poses == []


def test_a_bag_that_starts_again_starts_the_filter_anew(chain):
    fly(chain, 100.0, 100.5)
    for k in range(30):
        fly(chain, 1.0 + 0.1 * k)
    assert chain.problem(chain.diagnostics, 'starts anew')
    fly(chain, 5.0)
    chain.cloud.publish(cloud(4.5))
    assert chain.until(lambda: chain.poses['mav1'])


def test_parameters_that_are_safe_change_at_once_and_others_are_refused(chain):
    fly(chain, 1.0, 1.5)
    assert chain.until(lambda: chain.node._localizer.filter.state is not None)
    good = [Parameter('detection_probability', value=0.6), Parameter('max_hypotheses', value=3)]
    assert chain.node.set_parameters_atomically(good).successful
    assert chain.node._localizer.filter.parameters.detection_probability == 0.6
    for bad, word in (
        (Parameter('team_file', value='other.yaml'), 'team_file is read at configure'),
        (Parameter('late_window', value=2.0), 'late_window cannot change in flight'),
    ):
        result = chain.node.set_parameters_atomically(
            [Parameter('detection_probability', value=0.7), bad]
        )
        assert not result.successful
        assert word in result.reason
        # All of them or none.
        assert chain.node._localizer.filter.parameters.detection_probability == 0.6
        assert chain.node.get_parameter('detection_probability').value == 0.6
    fly(chain, 2.0)
    chain.cloud.publish(cloud(1.9))
    assert chain.until(lambda: chain.poses['mav1'])


def test_an_unknown_qos_is_refused_before_anything_starts(bench, team_file):
    bench.start(
        LocalizationNode, f'team_file:={team_file}', 'odometry_qos:=sometimes', namespace=''
    )  # fmt: skip
    diagnostics = bench.collect(DiagnosticArray, '/diagnostics')
    assert bench.problem(diagnostics, "odometry_qos is 'sometimes', it must be one of sensor_data")


def test_a_pose_that_jumps_is_announced(chain):
    fly(chain, 1.0, 1.5, 2.0)
    chain.cloud.publish(cloud(1.4))
    assert chain.until(lambda: chain.poses['mav1'])
    node = chain.node
    node._poses.publish(node._localizer, 1, at(1.6))
    state = node._localizer.filter.state_at(at(1.6))
    there = state.team.mean[1] + [2.0, 0.0, 0.0, 0.0]
    node._localizer.filter.replace_state(
        with_drone(state, 1, there, 0.01 * np.eye(4), state.anchors[1])
    )  # fmt: skip
    node._poses.publish(node._localizer, 1, at(1.8))
    assert chain.problem(chain.diagnostics, 'The pose of mav2 was corrected by 2.0')


def test_a_node_that_was_killed_goes_on_from_its_checkpoint(bench, team_file, tmp_path):
    given = (f'team_file:={team_file}', f'checkpoint_file:={tmp_path / "state.npz"}')
    for begin, moved in ((1.0, 0.0), (4.0, 2.5)):
        node = bench.start(LocalizationNode, *given, namespace='')
        publishers = {n: bench.publisher(Odometry, f'/{n}/odometry') for n in ('mav1', 'mav2')}
        for step in range(8):
            for name, publisher in publishers.items():
                x = moved + 0.1 * step if name == 'mav1' else 0.0
                publisher.publish(odometry(begin + 0.1 * step, x))
        assert bench.until(lambda n=node: n._localizer.filter.odometry.newest_ns(1) is not None)
        bench.until((tmp_path / 'state.npz').is_file)
        bench.until(lambda: False, timeout=0.5)  # let the timer save the newest state
        pose = node._localizer.filter.predict(at(begin + 0.7)).mean[0]
        bench.close()
        bench.nodes = []
    # The second run began at x = 3.2 with odometry, not at the start of the team file.
    assert pose[0] == pytest.approx(2.5 + 0.7, abs=0.01)


def test_two_cameras_of_one_drone_are_used_at_one_time(bench, tmp_path):
    team = tmp_path / 'team.yaml'
    team.write_text(
        TEAM.replace(
            'start_sigma: [0, 0, 0, 0]}',
            'start_sigma: [0, 0, 0, 0], more_cameras: '
            '{rear: {translation: [-0.1, 0, 0], rotation: [0, 0, 3.14159]}}}',
        )
    )
    node = bench.start(LocalizationNode, f'team_file:={team}', namespace='')
    publishers = [bench.publisher(Odometry, f'/{n}/odometry') for n in ('mav1', 'mav2')]
    topics = [f'/mav1/{camera}detection/relative_measurements' for camera in ('', 'rear/')]
    front, rear = (bench.publisher(PointCloud2, topic) for topic in topics)
    for time in (1.0, 1.5, 2.0):
        for publisher in publishers:
            publisher.publish(odometry(time))
    rear.publish(cloud(1.4, ()))
    front.publish(cloud(1.4))
    assert bench.until(lambda: node.diagnostics._counts['frames'] == 2)
    state = node._localizer.filter.state
    np.testing.assert_array_equal(state.rates.frames, [1.0, 1.0, 0.0])
    assert state.team.mean[1, 0] == pytest.approx(4.0, abs=0.15)


def test_diagnostics_tell_ages_latencies_and_what_was_learned(chain):
    fly(chain, 1.0, 1.5, 2.0)
    chain.cloud.publish(cloud(1.4))
    assert chain.until(lambda: chain.poses['mav1'])

    def values():
        return {v.key: v.value for m in chain.diagnostics for s in m.status for v in s.values}

    assert chain.until(lambda: 'mav2 P_D' in values() and 'mav1 latency ms' in values())
    assert 0.0 < float(values()['mav1 P_D']) < 1.0
    assert float(values()['mav1 odometry age s']) > 0.0
    assert 'NIS per dof' in values()


def test_a_frame_far_ahead_of_all_odometry_stops_nothing(chain):
    fly(chain, 1.0, 1.5, 2.0)
    chain.cloud.publish(cloud(1.4))
    assert chain.until(lambda: chain.poses['mav1'])
    chain.cloud.publish(cloud(5000.0))
    assert chain.problem(chain.diagnostics, 'without an attitude it is not used')
    seen = len(chain.poses['mav1'])
    fly(chain, 2.5, 3.0)
    chain.cloud.publish(cloud(2.9))
    assert chain.until(lambda: len(chain.poses['mav1']) > seen)
