"""The doctor finds what is wrong and says what to do."""

import os
import subprocess
import sys

import pytest

from mav_perception.cli import main
from mav_perception.processes.fastdds_profile import VARIABLES, profile_variable
from mav_perception.processes.node_processes import NodeProcesses, ros_environment

pytest.importorskip('rclpy', reason='the doctor looks at ROS')

from mav_perception.ros.parameter_check import check_parameter_file

pytestmark = pytest.mark.ros


def test_a_healthy_machine_has_no_failure(capsys, monkeypatch):
    for name, value in ros_environment().items():
        monkeypatch.setenv(name, value)
    code = main(['doctor', '--model', 'sim', '--seconds', '0'])
    text = capsys.readouterr().out
    assert code == 0, text
    assert 'Fast DDS profile' in text
    assert 'model sim' in text
    assert 'mav1, mav2, mav3, mav4; 4 cameras' in text


def test_what_is_wrong_is_named_with_its_cure(capsys, monkeypatch, tmp_path):
    read = profile_variable(os.environ)
    wrong = next(name for name in VARIABLES.values() if name != read)
    monkeypatch.delenv(read, raising=False)
    monkeypatch.setenv(wrong, 'profile.xml')
    (tmp_path / 'team.yaml').write_text('drones: 3')
    (tmp_path / 'bad.yaml').write_text(
        '/**:\n  ros__parameters: {target_width: 1, image_qos: sometimes, colour: red}\n'
        'localization_node:\n  ros__parameters: {seed: 1}\n'
        'the_team:\n  localization_node:\n    ros__parameters: {gate_probability: 7.0}\n'
    )
    arguments = ['--model', 'moon', '--team', str(tmp_path / 'team.yaml'), '--seconds', '0']
    assert main(['doctor', *arguments, '--params', str(tmp_path / 'bad.yaml')]) == 1
    failures = [x for x in capsys.readouterr().out.splitlines() if x.startswith('FAIL')]
    for word in (
        f'{wrong} is set, this Fast DDS reads {read}', 'moon',
        'needs a list', '1.0, not 1',
        'image_qos is', 'colour is no parameter', 'localization_node: seed is no parameter',
        'the_team/localization_node: gate_probability',
    ):  # fmt: skip
        assert any(word in line for line in failures), (word, failures)


def test_shipped_parameter_files_are_sound(tmp_path):
    from mav_perception.resources import find_share

    for name in ('segmentation', 'detection', 'localization', 'simulation', 'monitor'):
        assert check_parameter_file(find_share('config', f'{name}.yaml')) == []


def test_a_file_of_fit_sensor_model_is_sound_and_files_that_are_not_there_are_named(tmp_path):
    path = tmp_path / 'sensor.yaml'
    path.write_text(
        '/**/camera_node:\n  ros__parameters: {target_width: 0.3, view_mask: /gone.png}\n'
        '/**/statistical_detector:\n  ros__parameters: {bearing: 0.01}\n'
    )
    assert check_parameter_file(path) == [
        '/**/camera_node: view_mask is /gone.png, which is not there, seen from this folder'
    ]


def test_running_nodes_are_looked_at_from_outside(tmp_path):
    environment = ros_environment()
    with NodeProcesses(environment, tmp_path) as nodes:
        nodes.start(
            'detection', 'detection_node',
            ['--ros-args', '-r', '__ns:=/mav1', '-p', 'mask_qos:=reliable'],
        )  # fmt: skip
        doctor = subprocess.run(
            [sys.executable, '-m', 'mav_perception.cli', 'doctor', '--model', 'sim',
             '--seconds', '6'],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert doctor.returncode == 1
    assert '/mav1/segmentation/mask: /mav1/detection_node waits, nobody publishes' in doctor.stdout
    assert '/mav1/detection/relative_measurements: /mav1/detection_node pub' in doctor.stdout
