"""simulate publishes a flight and writes the team that localization needs."""

import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: `make install` brings it')
pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

from mav_perception.cli import main
from mav_perception.localization.team.team_file import load_team
from mav_perception.processes.node_processes import ros_environment

pytestmark = pytest.mark.ros


def test_a_team_whose_start_is_unknown_is_the_same_team_again(tmp_path, monkeypatch):
    monkeypatch.setattr('mav_perception.commands.simulate.become_node', lambda *_: 0)
    path = tmp_path / 'team.yaml'
    given = ['simulate', '--write-team', str(path), '--scenario']
    assert main([*given, 'unknown4']) == 0
    written = path.read_text()
    assert 'nan' in written
    assert main([*given, 'unknown4']) == 0
    assert path.read_text() == written
    assert main([*given, 'two_cameras']) == 2  # it is of another team
    assert path.read_text() == written


def test_it_writes_the_team_flies_and_ends_on_ctrl_c(tmp_path):
    child = subprocess.Popen(
        [sys.executable, '-m', 'mav_perception.cli', 'simulate', '--scenario', 'two_cameras',
         '--write-team', str(tmp_path / 'team.yaml')],
        env=ros_environment(), start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30.0
    while not (tmp_path / 'team.yaml').is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    entries = load_team(tmp_path / 'team.yaml')
    assert [entry.name for entry in entries] == ['mav1', 'mav2', 'mav3', 'mav4']
    assert [camera.name for camera in entries[0].cameras] == ['', 'rear']
    time.sleep(5.0)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    assert child.wait(30.0) == 0
