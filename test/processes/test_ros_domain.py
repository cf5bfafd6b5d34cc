"""A domain that others of this machine use is noticed, and two runs never share a folder."""

import os
import socket
import subprocess
import sys

import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.processes.output_folder import claimed
from mav_perception.processes.ros_domain import domain_in_use, free_domain


@pytest.fixture
def taken():
    """Bind the port of the second participant of domain 99."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(('', 7400 + 250 * 99 + 10 + 2))
        yield 99


def test_a_domain_in_use_is_noticed_and_another_taken(taken):
    assert domain_in_use(taken)
    domain, said = free_domain({'ROS_DOMAIN_ID': str(taken)})
    assert domain != taken
    assert f'{taken} is in use' in said
    assert str(domain) in said


def test_a_free_domain_is_kept_without_a_word():
    assert free_domain({'ROS_DOMAIN_ID': '98'}) == (98, '')
    domain, said = free_domain({})
    assert 1 <= domain <= 101
    assert said == ''


@pytest.mark.parametrize('wrong', ['x', '-1', '300', '1.5'])
def test_what_is_no_domain_is_refused(wrong):
    with pytest.raises(ConfigurationError, match='set a number from 0 to 232'):
        free_domain({'ROS_DOMAIN_ID': wrong})


def test_a_node_of_another_process_is_noticed():
    pytest.importorskip('rclpy', reason='ROS 2 is not installed')
    from mav_perception.processes.node_processes import ros_environment

    code = 'import rclpy, sys; rclpy.init(); n = rclpy.create_node("x"); print("up", flush=True)'
    child = subprocess.Popen(
        [sys.executable, '-c', f'{code}; sys.stdin.read()'],
        env=ros_environment() | {'ROS_DOMAIN_ID': '97'},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert child.stdout.readline() == b'up\n'
        assert domain_in_use(97)
    finally:
        child.communicate()


def test_a_folder_belongs_to_one_run_until_it_ends(tmp_path):
    code = (
        'import sys; from pathlib import Path\n'
        'from mav_perception.processes.output_folder import claimed\n'
        f'with claimed(Path({str(tmp_path / "out")!r})):\n'
        '    print("mine", flush=True); sys.stdin.read()'
    )
    child = subprocess.Popen(
        [sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=dict(os.environ),
    )  # fmt: skip
    assert child.stdout.readline() == b'mine\n'
    with (
        pytest.raises(ConfigurationError, match='Another run writes to'),
        claimed(tmp_path / 'out'),
    ):
        pass
    child.kill()  # the operating system gives it back
    child.communicate()
    with claimed(tmp_path / 'out'):
        pass
