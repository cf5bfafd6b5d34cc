"""Scenario files: names, a user's own, and what is wrong with them."""

import numpy as np
import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.scenario_files import load_scenario, scenario_names


def test_at_least_eight_scenarios_are_shipped_and_all_say_what_they_are():
    names = scenario_names()
    assert len(names) >= 8
    assert all(load_scenario(name).text for name in names)


def test_what_a_file_leaves_out_is_as_in_the_class_and_settings_win(tmp_path):
    path = tmp_path / 'own.yaml'
    path.write_text(
        'drones: 3\nduration: 30\ncameras: [{}, {name: rear, rotation: [0, 0, 3.14]}]\n'
        'faults: [{kind: silent, drone: mav2, begin: 0, end: 5}]\n'
    )
    scenario = load_scenario(str(path), duration=None, seed=7)
    assert (scenario.drones, scenario.duration, scenario.seed) == (3, 30.0, 7)
    assert scenario.cameras[1].rotation == (0.0, 0.0, 3.14)
    assert scenario.frame_rate == Scenario().frame_rate
    assert scenario.unknown_starts == (1,)


def test_a_fisheye_sees_half_the_sphere():
    half_x, half_y = load_scenario('fisheye').cameras[0].intrinsics.half_field_of_view
    assert half_x == pytest.approx(np.pi / 2.0, abs=1e-3)
    assert 1.2 < half_y < 1.3


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('drone: 3', 'drone'),
        ('drones: many', 'drones'),
        ('drones: 30', '2 to 20'),
        ('[1, 2]', 'mapping'),
        ('drones: [', 'Cannot read'),
        ('cameras: []', '1 to 4 cameras'),
        ('cameras: [{}, {}]', 'different'),
        ('cameras: [{wide: 3}]', 'wide'),
        ('cameras: [{model: catadioptric}]', 'catadioptric'),
        ('faults: [{kind: fire, drone: mav1, begin: 0, end: 1}]', 'fire'),
        ('faults: [{kind: silent, drone: mav9, begin: 0, end: 1}]', 'mav9'),
        ('faults: [{kind: silent, drone: mav1, begin: 2, end: 1}]', 'begin'),
        ('exposure: {time: -1}', 'time of Exposure'),
        ('odometry_noise: {scale: .nan}', 'scale of OdometryNoise'),
        ('cameras: [{field_of_view: 3.2}]', 'less than pi'),
        ('cameras: [{rotation: [0, 0, 180]}]', 'look like degrees'),
        ('duration: "60"', '"duration".*without quotes'),
        ('pace: fast', r'field "pace"[^;]*$'),
        ('odometry_noise: {position: true}', 'field "odometry_noise.position"'),
        ('duration: .nan', 'duration is nan'),
        ('duration: .inf', 'duration is inf'),
        ('seed: -1', 'seed is -1'),
        ('start_sigma: [1, 1, 0.3, 25]', 'then radians'),
        ('sighting_noise: {bearing: 2.5}', 'looks like degrees'),
        ('sighting_noise: {detection_probability: 7}', 'from 0 to 1'),
        ('odometry_noise: {yaw: 1.5}', 'looks like degrees'),
    ],
)
def test_a_wrong_file_is_refused_and_named(tmp_path, text, word):
    path = tmp_path / 'wrong.yaml'
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=word) as refusal:
        load_scenario(str(path))
    assert 'wrong.yaml' in str(refusal.value)


def test_a_missing_file_and_an_unknown_name_say_so(tmp_path):
    with pytest.raises(ConfigurationError, match='Cannot read'):
        load_scenario(str(tmp_path / 'none.yaml'))
    with pytest.raises(ConfigurationError, match='nominal'):
        load_scenario('nominally')
