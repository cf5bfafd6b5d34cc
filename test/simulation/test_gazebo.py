"""Gazebo files: valid SDF, and a bridge that names what is there and all that is needed."""

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from mav_perception import topics as names
from mav_perception.errors import ConfigurationError
from mav_perception.geometry import yaw_rotation
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.trajectories import plan_flights
from mav_perception.simulation.gazebo import bridge_entries, drone_model
from mav_perception.simulation.pilot import velocity_command

WORLDS = Path(__file__).resolve().parents[2] / 'worlds'
TEAM = ('mav1', 'mav2', 'mav3')

needs_ign = pytest.mark.skipif(
    shutil.which('ign') is None,
    reason='`ign sdf` is missing: apt install ignition-tools libsdformat-dev sdformat-sdf',
)


def topics_of(name):
    """Return the topics that the model of a drone publishes or reads in Gazebo."""
    model = ElementTree.fromstring(drone_model(name)).find('model')
    topics = {f'/{sensor.find("topic").text}' for sensor in model.iter('sensor')}
    for sensor in model.iter('sensor'):
        if sensor.get('type') == 'segmentation':
            topics.add(f'/{sensor.find("topic").text}/labels_map')
    topics |= {f'/{item.text}' for item in model.iter('camera_info_topic')}
    for kind in ('odom_topic', 'tf_topic'):
        topics |= {f'/{item.text}' for item in model.iter(kind)}
    for plugin in model.iter('plugin'):
        if plugin.get('name').endswith('VelocityControl'):
            space, topic = plugin.find('robotNamespace').text, plugin.find('commandSubTopic').text
            topics.add(f'/{space}/{topic}')
        if plugin.get('name').endswith('PosePublisher'):
            topics.add(f'/model/{model.get("name")}/pose')
    return topics


@needs_ign
@pytest.mark.parametrize('file', sorted(WORLDS.rglob('*.sdf')), ids=lambda p: p.name)
def test_every_world_and_model_is_valid(file):
    check = subprocess.run(
        ['ign', 'sdf', '-k', str(file)], capture_output=True, text=True, check=False
    )
    assert 'Valid.' in check.stdout, check.stdout + check.stderr


@needs_ign
def test_the_model_of_a_named_drone_is_valid(tmp_path):
    (tmp_path / 'mav2.sdf').write_text(drone_model('mav2'))
    check = subprocess.run(
        ['ign', 'sdf', '-k', str(tmp_path / 'mav2.sdf')], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert 'Valid.' in check.stdout, check.stdout + check.stderr


def test_every_bridged_topic_exists_in_the_model_or_the_world():
    known = {'/clock'}.union(*(topics_of(name) for name in TEAM))
    for entry in bridge_entries(TEAM):
        assert entry['gz_topic_name'] in known


def test_every_topic_that_the_nodes_need_is_bridged_in_one_direction():
    entries = {e['ros_topic_name']: e for e in bridge_entries(TEAM)}
    shared = len(TEAM) - 1  # every drone's odometry frame -> base goes to one /tf
    assert len(entries) == len(bridge_entries(TEAM)) - shared
    needed = (names.IMAGE, names.CAMERA_INFO, names.ODOMETRY, names.GROUND_TRUTH)
    for name in TEAM:
        for topic in needed:
            assert entries[names.in_namespace(name, topic)]['direction'] == 'GZ_TO_ROS'
        command = entries[names.in_namespace(name, names.VELOCITY_COMMAND)]
        assert command['direction'] == 'ROS_TO_GZ'
    assert entries[names.CLOCK]['direction'] == 'GZ_TO_ROS'
    images = [e for e in entries.values() if e['ros_type_name'] == 'sensor_msgs/msg/Image']
    assert len(images) == 2 * len(TEAM)
    assert all(e['lazy'] for e in images)


def test_frames_and_names_of_two_drones_cannot_collide():
    one, other = topics_of('mav1'), topics_of('mav2')
    assert not one & other
    assert 'DRONE' not in drone_model('mav1')
    model = ElementTree.fromstring(drone_model('mav1')).find('model')
    assert {item.text for item in model.iter('optical_frame_id')} == {names.optical_frame('mav1')}
    assert model.find('.//odom_frame').text == names.odometry_frame('mav1')
    assert model.find('.//robot_base_frame').text == names.body_frame('mav1')


@pytest.mark.parametrize('team', [('mav1', 'mav1'), ('Mav 1',), ('1mav',), ('a/b',)])
def test_names_that_cannot_be_are_refused(team):
    with pytest.raises(ConfigurationError):
        bridge_entries(team)


def test_the_pilot_brings_a_drone_to_its_path_and_keeps_it_there():
    path = plan_flights(Scenario(drones=3, seed=2))[1]
    pose = np.array([*(path.position(np.zeros(1))[0] + [1.0, -1.0, -1.5]), 0.5])
    off, step = [], 0.05
    for time in np.arange(0.0, 30.0, step):
        command = velocity_command(path, float(time), pose)
        assert np.linalg.norm(command[:3]) <= 3.0 + 1e-9
        pose = pose + step * np.array([*(yaw_rotation(pose[3]) @ command[:3]), command[3]])
        off.append(np.linalg.norm(pose[:3] - path.position(np.array([time + step]))[0]))
    assert max(off[200:]) < 0.1
