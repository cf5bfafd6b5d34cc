"""Kill every node of a flying team in turn with SIGKILL: when is it back, are the poses right.

Nodes are respawned after half a second, and the joint filter goes on from its checkpoint. Poses
are held against the truth at the same stamps all the time.

Example: python benchmarks/system/fault_injection.py --drones 3
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from pose_listener import PoseListener
from scipy.stats import chi2

from mav_perception.processes.node_processes import NodeProcesses, ros_environment
from mav_perception.processes.simulated_team import SimulatedTeam
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.topics import POSE, RELATIVE_MEASUREMENTS, in_namespace

PAUSE = 6.0
"""Seconds of flight between two kills."""

LATEST = 5.0
"""Seconds after which a node must be heard again."""

THREE_SIGMA = chi2.ppf(0.9973, 3)


def main() -> int:
    """Fly, kill, print a table; 0 if every node was back in time."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--drones', type=int, default=3)
    parser.add_argument('--seed', type=int, default=0)
    given = parser.parse_args()
    names = tuple(f'mav{k + 1}' for k in range(given.drones))
    victims = [('localization', in_namespace(names[1], POSE))]
    for name in names:
        victims.append((f'{name}_camera', in_namespace(name, RELATIVE_MEASUREMENTS)))
    duration = (len(victims) + 2) * (PAUSE + 5.0)
    scenario = load_scenario('nominal', drones=given.drones, seed=given.seed, duration=duration)
    folder = Path(tempfile.mkdtemp(prefix='mav_kill_'))
    checkpoint = str(folder / 'joint_state.npz')
    chain = SimulatedTeam(
        'nominal', scenario, folder, lockstep=False, respawn=True, checkpoint=checkpoint
    )
    environment = ros_environment()
    with NodeProcesses(environment, folder / 'logs') as nodes:
        chain.start_team(nodes)
        watch = PoseListener(environment, names)
        stopping = threading.Event()
        supervisor = threading.Thread(target=revive, args=(nodes, stopping))
        supervisor.start()
        chain.start_simulation(nodes)
        try:
            for name in names:
                assert watch.wait_for(in_namespace(name, POSE), time.monotonic(), 60.0) is not None
            back = kill_in_turn(nodes, watch, victims)
        finally:
            stopping.set()
            supervisor.join()
        errors = watch.mahalanobis()
        watch.close()
    beyond = float((errors > THREE_SIGMA).mean())
    print(
        f'{len(back)} nodes killed, back after {min(back):.1f} to {max(back):.1f} s; '
        f'{100 * beyond:.2f} % of {len(errors)} poses beyond 3 sigma'
    )
    return int(max(back) > LATEST)


def kill_in_turn(
    nodes: NodeProcesses, watch: PoseListener, victims: list[tuple[str, str]]
) -> list[float]:
    """Kill each victim, print when it is heard again; return the seconds, infinite for never."""
    seconds = []
    print(f'{"killed":22} {"back after":>10} {"poses beyond 3 sigma until then":>32}')
    for name, topic in victims:
        time.sleep(PAUSE)
        before = len(watch.mahalanobis())
        since = time.monotonic()
        os.kill(nodes.pid(name), signal.SIGKILL)
        time.sleep(0.3)  # what was on its way has arrived
        heard = watch.wait_for(topic, since + 0.3)
        back = np.inf if heard is None else heard + 0.3
        new = watch.mahalanobis()[before:]
        wrong = int(np.sum(new > THREE_SIGMA))
        print(f'{name:22} {back:8.1f} s {wrong:>20d} of {len(new)}', flush=True)
        seconds.append(back)
    return seconds


def revive(nodes: NodeProcesses, stopping: threading.Event) -> None:
    """Start dead nodes again, as `respawn` of the launch files does."""
    while not stopping.wait(0.5):
        nodes.revive()


if __name__ == '__main__':
    raise SystemExit(main())
