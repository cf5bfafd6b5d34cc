"""Start every node so many times, end it by a signal, and count the clean exits.

Clean is exit code 0 and no traceback, whenever in its life the signal comes.

Example: python benchmarks/system/clean_shutdown.py --times 100
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from mav_perception.processes.end_signals import takes_signals
from mav_perception.processes.node_processes import ros_environment
from mav_perception.resources import find_executable

NODES = (
    *('camera', 'segmentation', 'detection', 'localization', 'overlay', 'simulation'),
    *('monitor', 'recorder', 'pilot'),
)

LONGEST = 30.0
"""Seconds that an exit may take."""


def main() -> int:
    """Print a table; 0 if every exit was clean."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--times', type=int, default=100, help='of each signal, over all nodes')
    times = parser.parse_args().times
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nodes rightly ignore it under nohup
    clean, words = True, []
    print(f'{"signal":8} {"clean exits":>12} {"median time":>12} {"longest":>9}')
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        results = [one_exit(NODES[k % len(NODES)], number, k) for k in range(times)]
        seconds = np.array([spent for _, spent in results])
        good = sum(code == 0 for code, _ in results)
        clean &= good == times
        print(
            f'{number.name:8} {good:5d} of {times:3d} {np.median(seconds):10.2f} s '
            f'{seconds.max():7.2f} s',
            flush=True,
        )
        words.append(f'{good} of {times} on {number.name}, median {np.median(seconds):.2f} s')
    print(f'clean exits: {"; ".join(words)}')
    return 0 if clean else 1


def one_exit(node: str, number: signal.Signals, index: int) -> tuple[int, float]:
    """Start a node, signal it at some moment of its life, return exit code and seconds."""
    bag = Path(tempfile.mkdtemp(prefix='mav_exit_')) / 'bag'
    extra = ['-p', f'bag:={bag}'] if node == 'recorder' else []
    child = subprocess.Popen(
        [str(find_executable(f'{node}_node')), '--ros-args', *extra],
        env=ros_environment() | {'PYTHONFAULTHANDLER': '1'},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not takes_signals(child.pid) and child.poll() is None:
        time.sleep(0.02)
    time.sleep(0.05 * (index % 80))  # in the middle of start-up, and later
    begin = time.monotonic()
    child.send_signal(number)
    try:
        _, said = child.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGABRT)  # faulthandler then tells where every thread is
        _, said = child.communicate()
        print(f'{node}_node still ran {LONGEST:.0f} s after {number.name}:\n{said}')
    code = child.returncode or int('Traceback' in said)
    return code, time.monotonic() - begin


if __name__ == '__main__':
    raise SystemExit(main())
