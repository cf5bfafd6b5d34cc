"""Bags: a recorded flight is localized anew, the player seeks, loops and jumps back."""

import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.parameter import Parameter
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from rosgraph_msgs.msg import Clock

from mav_perception.errors import ConfigurationError, DataError
from mav_perception.io.bags import BagReader
from mav_perception.io.messages import stamp_to_ns
from mav_perception.processes.node_processes import ros_environment
from mav_perception.ros.nodes.player_node import PlayerNode
from mav_perception.types import seconds

ODOMETRY = 'nav_msgs/msg/Odometry'

FLIGHT = Path(__file__).parent / 'flight_bag'
"""20 s of 3 drones in the simulator, without images: made by `mav-perception record`."""


@pytest.fixture
def bag(tmp_path):
    with tarfile.open(FLIGHT / 'bag.tar.xz') as archive:
        archive.extractall(tmp_path, filter='data')
    return tmp_path / 'bag'


def test_it_jumps_where_it_is_told_and_back(bench, bag):
    node = bench.start(PlayerNode, f'bag:={bag}', 'rate:=5.0', 'wait:=1.0', namespace='')
    clock = bench.collect(Clock, '/clock', 100)
    truth = bench.collect(PoseStamped, '/mav1/ground_truth/pose', 100)
    assert bench.until(lambda: len(clock) > 20)

    def now():
        return seconds(stamp_to_ns(clock[-1].clock))

    assert node.set_parameters([Parameter('position', value=20.0)])[0].successful
    assert bench.until(lambda: now() > 14.0)
    assert node.set_parameters([Parameter('position', value=6.0)])[0].successful
    assert bench.until(lambda: now() < 10.0, timeout=5.0)

    def went_back():
        stamps = [stamp_to_ns(m.header.stamp) for m in truth]
        return stamps != sorted(stamps)

    assert bench.until(went_back)


def test_a_bag_without_a_clock_gets_one_from_the_times_of_its_messages(bench, tmp_path):
    """As `ros2 bag` writes by default on older systems: SQLite."""
    types = get_typestore(Stores.LATEST)
    folder = tmp_path / 'sqlite'
    with Writer(folder, version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connection = writer.add_connection('/mav1/odometry', ODOMETRY, typestore=types)
        empty = types.serialize_cdr(odometry(types), ODOMETRY)
        for step in range(50):
            writer.write(connection, (100 + step) * 10**8, empty)
    bench.start(PlayerNode, f'bag:={folder}', 'wait:=1.0', 'loop:=true', namespace='')
    clock = bench.collect(Clock, '/clock', 100)
    received = bench.collect(Odometry, '/mav1/odometry', 100)
    assert bench.until(lambda: len(received) > 60, timeout=15.0)  # it began again
    times = [seconds(stamp_to_ns(m.clock)) for m in clock]
    assert 10.0 <= min(times) <= max(times) < 15.0


def odometry(types):
    """Return an odometry message of rosbags."""

    def build(name):
        kind = types.types[name]
        values = {}
        for key, (node, detail) in types.fielddefs[name][1]:
            if node == 2:
                values[key] = build(detail)
            elif node in (3, 4):
                values[key] = np.zeros(36)
            else:
                values[key] = '' if detail[0] == 'string' else 0
        return kind(**values)

    return build(ODOMETRY)


def test_what_is_no_bag_is_named(bench, tmp_path):
    with pytest.raises(ConfigurationError, match='parameter `bag`'):
        bench.start(PlayerNode, namespace='')
    bench.close()
    with pytest.raises(DataError, match='not a complete ROS 2 bag'):
        bench.start(PlayerNode, f'bag:={tmp_path}', namespace='')
    (tmp_path / 'metadata.yaml').write_text('rosbag2_bagfile_information: {version: 5}')
    with pytest.raises(DataError):
        BagReader(tmp_path)


def test_the_command_plays_and_records(bag, tmp_path):
    environment = ros_environment()
    commands = [sys.executable, '-m', 'mav_perception.cli']
    recorder = subprocess.Popen(
        [*commands, 'record', str(tmp_path / 'again')], env=environment, start_new_session=True
    )
    deadline = time.monotonic() + 30.0
    while not (tmp_path / 'again').exists() and time.monotonic() < deadline:
        time.sleep(0.1)  # on a loaded machine it starts slowly
    player = subprocess.run(
        [*commands, 'replay', 'bag', str(bag), '--rate', '5', '--inputs-only'],
        env=environment, check=False, timeout=60,
    )  # fmt: skip
    recorder.terminate()
    assert (player.returncode, recorder.wait(20)) == (0, 0)
    again, once = BagReader(tmp_path / 'again'), BagReader(bag)
    for topic, count in once.counts.items():
        assert count - 5 <= again.counts[topic] <= count
