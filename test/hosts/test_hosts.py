"""Three drones and a ground station, each a host of its own: cuts, deaths, a late one, bytes.

Run it with -s to see the figures.
"""

import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='rclpy is not installed: `make install` brings it')
pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

from mav_perception.localization.checkpoint import load_checkpoint
from mav_perception.localization.team.team_file import save_team
from mav_perception.processes.node_processes import ros_arguments, ros_environment
from mav_perception.resources import find_executable
from mav_perception.simulation.flight.flight import scenario_team
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.simulation.flight.trajectories import plan_flights
from mav_perception.types import nanoseconds

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which('ip') is None,
    reason='network namespaces need root and iproute2',
)

DRONES = ('mav1', 'mav2', 'mav3')
RATE = 2.0
IMAGE_BYTES = 640 * 512 * 3


class Fleet:
    """All hosts, and the joint filter of each as its checkpoint tells it."""

    def __init__(self, folder, network):
        self.folder = folder
        environment = ros_environment() | {
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET', 'ROS_DOMAIN_ID': '7',
            'PYTHONPATH': str(Path(__file__).resolve().parents[2]),
        }  # fmt: skip
        self.network = network(('ground', *DRONES), environment)
        self.scenario = load_scenario(
            'nominal', drones=3, frame_rate=RATE, odometry_rate=5.0 * RATE, duration=240.0, seed=4
        )
        *punctual, late = scenario_team(self.scenario)
        team = (*punctual, replace(late, start_sigma=(np.nan,) * 4))
        save_team(team, folder / 'team.yaml')
        self.epoch_ns = time.time_ns() + nanoseconds(8.0)

    def localize(self, host):
        self.node(
            host, 'localization',
            {
                'team_file': self.folder / 'team.yaml', 'pose_prefix': f'/{host}/own',
                'checkpoint_file': self.folder / f'{host}.npz', 'max_range': 20.0,
                'late_window': 3.0,
            },
        )  # fmt: skip

    def fly(self, host):
        driver = Path(__file__).with_name('drone_driver.py')
        drone = str(DRONES.index(host))
        command = [sys.executable, str(driver), drone, str(self.epoch_ns), str(RATE)]
        self.network.start(host, command, self.folder / f'{host}_driver.log')
        self.node(host, 'segmentation', {'model': 'sim'}, namespace=host)
        self.node(host, 'detection', {}, namespace=host)

    def node(self, host, node, parameters, namespace=''):
        command = [
            str(find_executable(f'{node}_node')),
            *ros_arguments(parameters, config=node, namespace=namespace),
        ]
        self.network.start(host, command, self.folder / f'{host}_{node}.log')

    def state(self, host):
        path = self.folder / f'{host}.npz'
        return load_checkpoint(path) if path.is_file() else None

    def knows(self, host, *drones):
        """Tell whether a filter has localized these drones and no others."""
        state = self.state(host)
        return state is not None and {
            n for n, known in zip(DRONES, state.known, strict=True) if known
        } == {*drones}

    def now(self):
        return (time.time_ns() - self.epoch_ns) * 1e-9

    def until(self, condition, timeout):
        begin = time.monotonic()
        while time.monotonic() - begin < timeout:
            if condition():
                return time.monotonic() - begin
            time.sleep(0.1)
        logs = {p.name: p.read_text()[-600:] for p in self.folder.glob('*localization.log')}
        raise AssertionError(f'{self.now():.0f} s: {[self.state(h) for h in DRONES]} {logs}')


@pytest.fixture
def fleet(tmp_path, network):
    return Fleet(tmp_path, network)


def test_cuts_deaths_a_late_host_and_bytes(fleet):
    fleet.localize('ground')
    for host in DRONES[:2]:
        fleet.localize(host)
        fleet.fly(host)
    fleet.until(lambda: fleet.knows('ground', 'mav1', 'mav2'), 40.0)
    fleet.fly('mav3')  # the late one: its first VIO sample is not where the others began
    fleet.localize('mav3')
    print(f'late host in after {fleet.until(lambda: fleet.knows("ground", *DRONES), 80.0):.1f} s')

    before, begin = [fleet.network.sent(host) for host in DRONES], time.monotonic()
    time.sleep(6.0)
    after, spent = [fleet.network.sent(host) for host in DRONES], time.monotonic() - begin
    rates = (np.array(after) - before) / spent
    print(f'bytes a drone and second: {rates.round().astype(int).tolist()}')
    assert rates.max() < 0.05 * RATE * IMAGE_BYTES  # no image, not one in twenty, has crossed

    fleet.network.link('mav2', 'down')
    lost = fleet.until(lambda: fleet.knows('ground', 'mav1', 'mav3'), 15.0)
    time.sleep(max(0.0, 10.0 - lost))
    fleet.network.link('mav2', 'up')
    back = fleet.until(lambda: fleet.knows('ground', *DRONES), 60.0)
    print(f'link cut: noticed after {lost:.1f} s, healed {back:.1f} s after the cable was back')

    fleet.network.kill('mav3')
    lost = fleet.until(lambda: fleet.knows('ground', 'mav1', 'mav2'), 15.0)
    fleet.fly('mav3')
    fleet.localize('mav3')
    back = fleet.until(lambda: fleet.knows('ground', *DRONES), 60.0)
    print(f'host killed: noticed after {lost:.1f} s, back {back:.1f} s after its restart')

    # Four filters on four hosts, each with outages of its own, come to the same truth.
    world = plan_flights(fleet.scenario)
    hosts = ('ground', *DRONES)

    def agreed():
        errors = [off_truth(fleet, host, world) for host in hosts]
        return all(known.all() and (off < 1.0).all() for known, off, _ in errors)

    print(f'all filters agree after {fleet.until(agreed, 120.0):.1f} s more')
    for host in hosts:
        _, off, normalised = off_truth(fleet, host, world)
        print(f'{host}: off by {off.round(2)} m, normalised {normalised.round(1)}')


def off_truth(fleet, host, world):
    """Return position errors of mav2 and mav3 as mav1 sees them, metres and normalised."""
    state = fleet.state(host)
    seconds = (state.stamp_ns - fleet.epoch_ns) * 1e-9
    truth = np.array([path.position(np.array([seconds]))[0] for path in world])
    shape = state.mean[1:, :3] - state.mean[0, :3] - (truth[1:] - truth[0])
    normalised = []
    for drone in (1, 2):
        pick = np.zeros((3, 12))
        pick[:, 4 * drone : 4 * drone + 3], pick[:, :3] = np.eye(3), -np.eye(3)
        claimed = pick @ state.covariance @ pick.T
        normalised.append(shape[drone - 1] @ np.linalg.solve(claimed, shape[drone - 1]))
    return state.known, np.linalg.norm(shape, axis=1), np.array(normalised)
