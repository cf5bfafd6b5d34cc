"""A process ends with its parent, and if that had ended before."""

import os
import subprocess
import sys
import time

from mav_perception.processes.parent import PARENT

CHILD = 'from mav_perception.processes.parent import die_with_parent; die_with_parent(); '


def run(parent, code='print("runs")'):
    environment = os.environ | {PARENT: parent}
    return subprocess.run(
        [sys.executable, '-c', CHILD + code], env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_a_parent_that_lives_is_enough_even_if_another_started_the_process():
    assert run(str(os.getpid())).stdout == 'runs\n'
    assert run('1').stdout == 'runs\n'
    assert run('launch').stdout == run('').stdout == 'runs\n'


def test_a_parent_that_has_ended_is_named():
    ended = subprocess.Popen([sys.executable, '-c', ''])
    ended.wait()
    child = run(str(ended.pid))
    assert (child.returncode, child.stdout) == (0, '')
    assert f'process {ended.pid} of {PARENT} has ended' in child.stderr


def test_it_ends_with_its_parent():
    grandchild = f'{CHILD}print(__import__("os").getpid(), flush=True); input()'
    parent = subprocess.Popen(
        [sys.executable, '-c', 'import subprocess, sys; '
         f'subprocess.run([sys.executable, "-c", {grandchild!r}])'],
        env=os.environ | {PARENT: 'somebody'}, stdout=subprocess.PIPE, stdin=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    process = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10.0
    while os.path.exists(f'/proc/{process}') and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f'/proc/{process}')
