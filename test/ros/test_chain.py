"""The whole chain as processes: what `make demo` starts, shorter."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

from mav_perception.io.bags import BagReader
from mav_perception.processes.end_signals import takes_signals
from mav_perception.processes.node_processes import ros_environment
from mav_perception.resources import find_executable

NODES = (
    'camera',
    'segmentation',
    'detection',
    'localization',
    'simulation',
    'monitor',
    'recorder',
)
# player_node ends by itself: test_player_node.py


def demo(tmp_path, *options):
    command = [sys.executable, '-m', 'mav_perception.cli', 'demo', '--headless', *options]
    environment = {k: v for k, v in os.environ.items() if k != '_ROS_WHEELS_BOOTSTRAP_COMPLETE'}
    return subprocess.run(
        [*command, '--output', str(tmp_path / 'out')],
        env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip


def test_a_team_flies_is_localized_and_recorded(tmp_path):
    bag = tmp_path / 'bag'
    options = ('--drones', '3', '--duration', '12', '--seed', '2', '--record', str(bag))
    result = demo(tmp_path, *options)
    assert result.returncode == 0, result.stdout + result.stderr
    assert 'every node lived and ended cleanly' in result.stdout
    summary = json.loads((tmp_path / 'out' / 'summary.json').read_text())
    assert summary['team_shape'] < 0.7 * summary['vio_team_shape']
    assert summary['images_dropped'] == summary['frames_lost'] == 0
    assert (tmp_path / 'out' / 'tracks.png').is_file()
    counts = BagReader(bag).counts
    for drone in ('mav1', 'mav2', 'mav3'):
        # The recorder needs a moment to find a topic: the first few messages may be missing.
        assert counts[f'/{drone}/camera/image_raw'] > 45
        assert counts[f'/{drone}/localization/pose'] > 45
        assert counts[f'/{drone}/odometry'] > 250


def test_a_missing_model_fails_the_demo_and_is_named(tmp_path):
    result = demo(tmp_path, '--drones', '2', '--duration', '1', '--model', 'nonsense')
    assert result.returncode == 2
    assert "No weights file for model 'nonsense'" in result.stderr


@pytest.mark.parametrize('node', NODES)
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_every_node_ends_cleanly(node, number, tmp_path):
    extra = ['-p', f'bag:={tmp_path / "bag"}'] if node == 'recorder' else []
    child = subprocess.Popen(
        [str(find_executable(f'{node}_node')), '--ros-args', *extra],
        env=ros_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30.0
    while not takes_signals(child.pid) and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(3.0)  # they are taken before the node is imported
    assert child.poll() is None, child.stdout.read()
    child.send_signal(number)
    output, _ = child.communicate(timeout=20)
    assert child.returncode == 0, output
    assert 'Traceback' not in output


def test_a_broken_yaml_key_is_reported_and_a_broken_type_is_refused(tmp_path):
    path = tmp_path / 'bad.yaml'
    path.write_text('/**:\n  ros__parameters:\n    target_width: 1\n')
    result = subprocess.run(
        [str(find_executable('detection_node')), '--ros-args', '--params-file', str(path)],
        env=ros_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert 'target_width' in result.stderr
    assert '1.0, not 1' in result.stderr
