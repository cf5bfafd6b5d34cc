"""Kill the demo at random times: no process may stay behind, and no broken file.

Usage: python benchmarks/system/kill_demo.py --times 20
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from mav_perception.processes.parent import PARENT

LONGEST = 25.0
"""Seconds after which the demo is killed at the latest: it starts, flies and writes its report."""

ENDS = 20.0
"""Seconds that its processes have: one whose middleware hangs ends itself after 15."""


def children_of(pid: int) -> list[int]:
    """Return the processes that a demo started, dead or alive itself."""
    mark = f'{PARENT}={pid}\0'.encode()
    found = []
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            if mark in (folder / 'environ').read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile, or is not ours
            continue
    return found


def broken_files(folder: Path) -> list[str]:
    """Return the files that nobody can read."""
    broken = [str(path) for path in folder.rglob('*.part.*')]
    for path in folder.rglob('*'):
        try:
            if path.suffix == '.json':
                json.loads(path.read_text())
            elif path.suffix in ('.png', '.jpg') and cv2.imread(str(path)) is None:
                broken.append(str(path))
            elif path.suffix == '.npz':
                with np.load(path) as file:
                    dict(file)
            elif path.suffix == '.html' and '</html>' not in path.read_text():
                broken.append(str(path))
        except (OSError, ValueError) as error:
            broken.append(f'{path}: {error}')
    return broken


def kill_once(number: signal.Signals, after: float, folder: Path) -> tuple[int, float, list[str]]:
    """Return how many processes were left, when the last one ended, and the broken files."""
    command = [sys.executable, '-m', 'mav_perception.cli', 'demo', '--headless', '--drones', '2']
    demo = subprocess.Popen(
        [*command, '--duration', '6', '--output', str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    time.sleep(after)
    demo.send_signal(number)
    demo.wait()
    killed = time.monotonic()
    while (left := children_of(demo.pid)) and time.monotonic() < killed + ENDS:
        time.sleep(0.1)
    taken = time.monotonic() - killed
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return len(left), taken, broken_files(folder)


def main() -> int:
    """Print what was left; 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--times', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0)
    arguments = parser.parse_args()
    times, processes, longest, files = random.Random(arguments.seed), 0, 0.0, []
    for _ in range(arguments.times):
        with tempfile.TemporaryDirectory() as folder:
            after = times.uniform(0.0, LONGEST)
            left, taken, broken = kill_once(signal.SIGKILL, after, Path(folder))
        processes += left
        longest = max(longest, taken)
        files += broken
    print(
        f'{arguments.times} demos killed: {processes} processes left, the last gone after '
        f'{longest:.1f} s; {len(files)} broken files {" ".join(files)}'
    )
    return int(bool(processes or files))


if __name__ == '__main__':
    raise SystemExit(main())
