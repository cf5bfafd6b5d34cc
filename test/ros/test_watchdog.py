"""A node that hangs ends its process and says where; one that works is left alone."""

import signal
import subprocess
import sys

import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: `make install` brings it')

from mav_perception.processes.node_processes import ros_environment

NODE = """
import sys, threading, time
from rclpy.node import Node
from mav_perception.ros.runtime.frame_worker import FrameWorker
from mav_perception.ros.runtime.watchdog import Watchdog
from mav_perception.ros.runtime.node_main import run_node

class Hanging(Node):
    def __init__(self):
        super().__init__('hanging')
        self.worker = FrameWorker(lambda seconds: time.sleep(seconds))
        self.watchdog = Watchdog(self, lambda: self.worker.busy_for() < 1.0)
        self.create_timer(0.1, self.act)

    def act(self):
        what, self.what = sys.argv[1], None
        sys.argv[1] = 'done'
        if what == 'executor':
            time.sleep(60.0)
        if what == 'worker':
            self.worker.offer(60.0)
        if what == 'neither':
            threading.Timer(4.0, lambda: print('worked') or sys.stdout.flush()).start()
            threading.Timer(4.5, __import__('rclpy').try_shutdown).start()

sys.exit(run_node(Hanging))
"""


def run(what):
    """Run a node that hangs there, with a limit of two seconds."""
    command = [sys.executable, '-c', NODE, what, '--ros-args', '-p', 'hang_limit:=2.0']
    return subprocess.run(
        command, env=ros_environment(), capture_output=True, text=True, timeout=40, check=False
    )


@pytest.mark.parametrize(('what', 'where'), [('executor', 'in act'), ('worker', 'in <lambda>')])
def test_a_node_that_hangs_ends_and_says_where(what, where):
    # The alarm reads the stacks of threads that run meanwhile, and seldom crashes in that.
    results = [run(what)]
    while results[-1].returncode == -signal.SIGSEGV and len(results) < 3:
        results.append(run(what))
    result = results[-1]
    assert result.returncode == 1
    assert 'Timeout' in result.stderr
    assert where in result.stderr


def test_a_node_that_works_is_left_alone():
    result = run('neither')
    assert result.returncode == 0, result.stderr
    assert 'worked' in result.stdout
