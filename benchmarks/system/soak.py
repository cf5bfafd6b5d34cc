"""Fly for long and look for what grows: memory, descriptors; and for nodes that are lost.

Growth is that of the second half of the flight over its first half: what warms up, fills its
windows and stays is no leak.

Example: python benchmarks/system/soak.py --minutes 30
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from pose_listener import process_figures

from mav_perception.processes.node_processes import NodeProcesses, ros_environment
from mav_perception.processes.simulated_team import SimulatedTeam
from mav_perception.simulation.flight.scenario_files import load_scenario

PERIOD = 5.0
MAX_GROWTH = 0.05


def main() -> int:
    """Print a row a node; 0 if none grew by more than 5 per cent, lost a descriptor or died."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--minutes', type=float, default=30.0)
    parser.add_argument('--drones', type=int, default=4)
    given = parser.parse_args()
    duration = 60.0 * given.minutes
    scenario = load_scenario('nominal', drones=given.drones, duration=duration + 120.0)
    folder = Path(tempfile.mkdtemp(prefix='mav_soak_'))
    with NodeProcesses(ros_environment(), folder / 'logs') as nodes:
        chain = SimulatedTeam('nominal', scenario, folder)
        chain.start_team(nodes)
        chain.start_simulation(nodes)
        time.sleep(30.0)  # start-up is over
        history: dict[str, list[tuple[int, int]]] = {name: [] for name in nodes.names}
        end = time.monotonic() + duration
        while time.monotonic() < end and not nodes.dead():
            for name, rows in history.items():
                with suppress(FileNotFoundError):  # it has just died
                    rows.append(process_figures(nodes.pid(name))[1:])
            time.sleep(PERIOD)
        lost = nodes.dead()
        codes = nodes.stop()
    most, leaks, sound = report_growth(history, codes)
    print(
        f'{given.minutes:.0f} minutes, {given.drones} drones; lost nodes: {lost or "none"}; a '
        f'node grew by {100 * most:+.1f} % at most from the first half to the second, {leaks} '
        'descriptors more'
    )
    return int(bool(lost) or any(codes.values()) or not sound)


def report_growth(
    history: dict[str, list[tuple[int, int]]], codes: dict[str, int]
) -> tuple[float, int, bool]:
    """Print a row a node; return the most growth, the most descriptors, and if all is well."""
    most, leaks, sound = -np.inf, 0, True
    print(f'{"node":22} {"MB":>7} {"growth":>8} {"descriptors":>12} {"exit":>5}')
    for name, rows in history.items():
        if len(rows) < 2:
            sound = False  # it died at once, and is among the lost
            continue
        values = np.array(rows)
        first, second = np.array_split(values, 2)
        growth = np.median(second[:, 0]) / np.median(first[:, 0]) - 1.0
        leaked = np.median(second[:, 1]) - np.median(first[:, 1])
        most, leaks = max(most, growth), max(leaks, int(leaked))
        sound &= growth <= MAX_GROWTH and leaked <= 0
        print(
            f'{name:22} {values[-1, 0] / 1e6:7.0f} {100 * growth:+7.1f}% '
            f'{values[0, 1]:5.0f} to {values[-1, 1]:3.0f} {codes[name]:5d}'
        )
    return most, leaks, bool(sound)


if __name__ == '__main__':
    raise SystemExit(main())
