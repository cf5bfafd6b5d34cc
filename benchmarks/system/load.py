"""Latency from image to pose, and CPU and memory of a camera and of the filter, by team and rate.

The simulator runs on the same machine and is left out of the table. Without lockstep: what the
machine cannot do is dropped and counted. A camera is one camera_node, or segmentation_node and
detection_node in a process each.

Example: python benchmarks/system/load.py --drones 2 4 8 --rates 5 10 --seconds 30
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from pose_listener import PoseListener, process_figures

from mav_perception.processes.node_processes import NodeProcesses, ros_environment
from mav_perception.processes.simulated_team import SimulatedTeam
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.topics import GROUND_TRUTH, POSE, in_namespace

KINDS = ('camera', 'localization')


def main() -> None:
    """Print a row for each combination."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--drones', type=int, nargs='+', default=[2, 4, 8])
    parser.add_argument('--rates', type=float, nargs='+', default=[5.0, 10.0])
    parser.add_argument('--seconds', type=float, default=30.0)
    given = parser.parse_args()
    print(
        f'{os.cpu_count()} cores. CPU in per cent of one core and MB of memory, '
        'of one camera and of the filter\n'
        f'{"drones":>6} {"Hz":>4} {"camera is":>10} {"p50":>7} {"p95":>7} {"frames used":>12}'
        + ''.join(f'{kind:>20}' for kind in KINDS)
    )
    for drones in given.drones:
        for rate in given.rates:
            for separate in (False, True):
                print(measure(drones, rate, given.seconds, separate), flush=True)


def measure(drones: int, rate: float, duration: float, separate: bool) -> str:
    """Fly once and return a row."""
    names = tuple(f'mav{k + 1}' for k in range(drones))
    scenario = load_scenario('nominal', drones=drones, frame_rate=rate, duration=duration + 60.0)
    folder = Path(tempfile.mkdtemp(prefix='mav_load_'))
    chain = SimulatedTeam('nominal', scenario, folder, lockstep=False, separate=separate)
    environment = ros_environment()
    with NodeProcesses(environment, folder / 'logs') as nodes:
        chain.start_team(nodes)
        watch = PoseListener(environment, names)
        chain.start_simulation(nodes)
        for topic in (in_namespace(name, kind) for name in names for kind in (GROUND_TRUTH, POSE)):
            if watch.wait_for(topic, time.monotonic(), 60.0) is None:
                raise SystemExit(f'Nothing heard on {topic} in 60 s: see {folder}/logs.')
        watch.latencies.clear()
        watched = {
            'camera': [process for name in names for process in chain.camera_processes(name)],
            'localization': ['localization'],
        }
        begin, before = time.monotonic(), figures(nodes, watched)
        simulated = newest(watch)
        time.sleep(duration)
        spent, after = time.monotonic() - begin, figures(nodes, watched)
        simulated = newest(watch) - simulated
        latencies = np.array(watch.latencies)
        watch.close()
    offered = drones * rate * simulated * 1e-9
    p50, p95 = np.percentile(latencies, [50, 95]) if len(latencies) else (np.nan, np.nan)
    cells = []
    for kind in KINDS:
        each = drones if kind == 'camera' else 1
        share = 100.0 * np.sum(after[kind][:, 0] - before[kind][:, 0]) / spent / each
        cells.append(f'{share:10.0f} % {after[kind][:, 1].sum() / 1e6 / each:4.0f} MB')
    used = f'{100.0 * len(latencies) / max(offered, 1.0):.0f} %'
    made = 'two nodes' if separate else 'one node'
    return f'{drones:6d} {rate:4.0f} {made:>10} {p50:4.0f} ms {p95:4.0f} ms {used:>12}' + ''.join(
        f'{cell:>20}' for cell in cells
    )


def newest(watch: PoseListener) -> int:
    """Return the simulated time of the newest truth."""
    return max(max(stamps) for stamps in watch.truth.values() if stamps)


def figures(nodes: NodeProcesses, watched: dict[str, list[str]]) -> dict[str, np.ndarray]:
    """Return CPU seconds and bytes of every watched node, by kind."""
    return {
        kind: np.array([process_figures(nodes.pid(name))[:2] for name in group])
        for kind, group in watched.items()
    }


if __name__ == '__main__':
    main()
