"""The same flight on a machine with other work: it must come out the same, only later.

Usage: python benchmarks/system/stress.py --loads 0 4 8 --duration 20

So many processes that do nothing but count run beside the demo. Shown are the errors, what became
of every image, and how much slower than real time the flight was.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path


def fly(load: int, duration: float, folder: Path) -> dict[str, float]:
    """Return the summary of a flight with so many busy processes beside it."""
    # fmt: off
    busy = [
        subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(load)
    ]
    try:
        subprocess.run(
            [
                sys.executable, '-m', 'mav_perception.cli', 'demo', '--headless', '--seed', '0',
                '--duration', str(duration), '--output', str(folder),
            ],
            check=False, stdout=subprocess.DEVNULL,
        )
    finally:
        for process in busy:
            process.send_signal(signal.SIGKILL)
    # fmt: on
    file = folder / 'summary.json'
    summary: dict[str, float] = json.loads(file.read_text()) if file.is_file() else {}
    return summary


def main() -> None:
    """Print a row a load."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--loads', type=int, nargs='+', default=[0, 4, 8])
    parser.add_argument('--duration', type=float, default=20.0)
    arguments = parser.parse_args()
    print(f'{os.cpu_count()} cores')
    print('busy beside   shape     map  images  poses  no pose  refused  dropped  lost   speed')
    for load in arguments.loads:
        with tempfile.TemporaryDirectory() as folder:
            one = fly(load, arguments.duration, Path(folder))
        if 'team_shape' not in one:
            print(f'{load:11}  the flight failed', flush=True)
            continue
        print(
            f'{load:11}  {one["team_shape"]:.3f} m {one["position"]:.3f} m {one["images"]:6} '
            f'{one["poses"]:6} {one["without_pose"] + one["superseded"]:8} {one["refused"]:8} '
            f'{one["images_dropped"]:8} {one["frames_lost"]:5}   {one["real_time_factor"]:.2f}',
            flush=True,
        )


if __name__ == '__main__':
    main()
