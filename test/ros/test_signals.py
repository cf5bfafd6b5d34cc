"""Nodes end in order whatever threads their libraries have started, and nohup is honoured."""

import signal
import subprocess
import time

import pytest

from mav_perception.processes.node_processes import ros_environment
from mav_perception.resources import find_executable

THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS')


def recorder(tmp_path, **options):
    """Start a recorder whose libraries start as many threads as they like."""
    environment = {k: v for k, v in ros_environment().items() if k not in THREADS}
    command = [str(find_executable('recorder_node')), '--ros-args', '-p', f'bag:={tmp_path}/bag']
    # Whoever runs the tests under nohup has SIGHUP ignored, and that is inherited.
    options = {'preexec_fn': lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)} | options
    return subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True,
        **options,
    )  # fmt: skip


def until(condition, timeout=30.0):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not condition():
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize('numbers', [[2], [15], [1], [1, 2, 15]])
def test_a_bag_is_closed_whatever_ends_its_recorder(tmp_path, numbers):
    child = recorder(tmp_path)
    assert until(lambda: list((tmp_path / 'bag').glob('*.mcap')))
    time.sleep(0.5)
    for number in numbers:
        child.send_signal(signal.Signals(number))
    _, said = child.communicate(timeout=20.0)
    assert child.returncode == 0
    assert 'Traceback' not in said
    assert (tmp_path / 'bag' / 'metadata.yaml').is_file()


def test_a_node_under_nohup_outlives_its_terminal(tmp_path):
    child = recorder(tmp_path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    assert until(lambda: list((tmp_path / 'bag').glob('*.mcap')))
    child.send_signal(signal.SIGHUP)
    time.sleep(1.0)
    assert child.poll() is None
    child.send_signal(signal.SIGINT)
    assert child.wait(20.0) == 0


def test_a_bag_that_cannot_be_written_is_a_sentence(tmp_path):
    child = subprocess.run(
        [str(find_executable('recorder_node')), '--ros-args', '-p', 'bag:=/proc/bag'],
        env=ros_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert child.returncode == 1
    assert 'Cannot write bag /proc/bag' in child.stderr
    assert 'Traceback' not in child.stderr
