"""Plant a wrong belief in the filter, and see how long it is published and whether it mends.

Usage: python benchmarks/localization/planted_errors.py --scenarios nominal hard --seeds 4
       python benchmarks/localization/planted_errors.py --scenarios \
           --mrclam ../shared/datasets/mrclam6 --clutter 0 0.3 --at 60 100 140

Either two drones are swapped in the joint state, or one is put metres aside and turned, as if
somebody had carried it. Printed is for how many of the next 50 s a wrong pose was published as
sure (off by more than 0.5 m, aligned, and by more than five of its sigmas; 1 m for robots on
wheels, whose odometry is poor), after how many all drones were right again for good, and the worst
error of the other drones meanwhile.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mav_perception.datasets.mrclam import load_mrclam, mrclam_parameters
from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.evaluation.metrics.team_errors import align_team
from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.recordings.recording import Recording, sample_truth
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import BoolArray, FloatArray, TeamState, seconds

FIRST, SECOND = 1, 2
"""Whose poses are spoiled; of 'carried' the second's alone."""

WATCHED, RIGHT, RIGHT_ON_WHEELS, SURE = 50.0, 0.5, 1.0, 5.0
EVERY = 2.7
"""Seconds by which the error of the next seed is later: it meets the filter at any time."""

KINDS = ('swapped', 'carried')


@dataclass(frozen=True)
class Flight:
    """What is flown, when the error is planted (seconds), and what is right (metres)."""

    name: str
    recording: Recording
    parameters: FilterParameters
    planted: float
    right: float
    seed: int


@dataclass(frozen=True)
class Outcome:
    """What came of it: seconds after the planting, NaN for never, and metres."""

    wrong_and_sure: float
    right_again: float
    others: float


def spoiled(state: JointState, kind: str, rng: np.random.Generator) -> JointState:
    """Return the state with two drones swapped, or one put elsewhere, under all hypotheses."""
    h = state.hypotheses
    means, order = h.means.copy(), np.arange(h.means.shape[1])
    one, other = slice(4 * FIRST, 4 * FIRST + 4), slice(4 * SECOND, 4 * SECOND + 4)
    if kind == 'swapped':
        order[one], order[other] = order[other].copy(), order[one].copy()
    else:
        direction, distance = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(1.5, 3.0)
        means[:, 4 * SECOND] += distance * np.cos(direction)
        means[:, 4 * SECOND + 1] += distance * np.sin(direction)
        means[:, 4 * SECOND + 3] += rng.uniform(-1.5, 1.5)
    covariances = h.covariances[:, order][:, :, order]
    return replace(state, hypotheses=replace(h, means=means[:, order], covariances=covariances))


def play(flight: Flight, kind: str) -> Outcome:
    """Fly, spoil the state, and watch."""
    recording, rng = flight.recording, np.random.default_rng(flight.seed)
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, flight.parameters))
    feed = OdometryFeed(recording)
    times: list[float] = []
    errors: list[FloatArray] = []
    sure: list[BoolArray] = []
    planted = False
    for frame in recording.frames:
        stamp_ns = frame.sightings.stamp_ns
        after = seconds(stamp_ns - recording.begin_ns) - flight.planted
        if after > WATCHED:
            break
        feed.until(stamp_ns, localizer)
        if after >= 0.0 and not planted:
            state = localizer.filter.state_at(stamp_ns)
            localizer.filter.replace_state(spoiled(state, kind, rng))
            planted = True
        localizer.update(frame.sightings)
        if planted:
            team = localizer.filter.predict(stamp_ns)
            truth = sample_truth(recording, np.array([stamp_ns]))[:, :, :3]
            offset = (align_team(team.mean[None, :, :3], truth) - truth)[0]
            times.append(after)
            errors.append(np.linalg.norm(offset, axis=1))
            sure.append(localizer.localized & (errors[-1] > SURE * sigma_along(offset, team)))
    error, time = np.array(errors), np.array(times)
    wrong = error > flight.right
    interval = np.diff(time, append=time[-1])
    wrong_and_sure = float(interval[(wrong & np.array(sure)).any(axis=1)].sum())
    last = int(np.flatnonzero(wrong.any(axis=1))[-1]) if wrong.any() else -1
    again = float(time[last + 1]) if last + 1 < len(time) else float('nan')
    others = np.delete(error, [FIRST, SECOND] if kind == 'swapped' else [SECOND], axis=1)
    return Outcome(wrong_and_sure, again, float(others.max()))


def sigma_along(offset: FloatArray, team: TeamState) -> FloatArray:
    """Return (N,) standard deviations of positions in the directions of errors (N, 3)."""
    drones = range(len(offset))
    direction = offset / np.maximum(np.linalg.norm(offset, axis=1), 1e-9)[:, None]
    blocks = np.array([team.block(drone)[:3, :3] for drone in drones])
    return np.sqrt(np.einsum('ni,nij,nj->n', direction, blocks, direction))


def simulated(name: str, seed: int) -> Flight:
    """Return a simulated flight with the error at 30 s or a little later."""
    planted = 30.0 + EVERY * seed % 10.0
    scenario = load_scenario(name, seed=seed, duration=planted + WATCHED)
    recording, parameters = SensorSetup().fly(scenario)
    return Flight(
        name=name,
        recording=recording,
        parameters=parameters,
        planted=planted,
        right=RIGHT,
        seed=seed,
    )


def recorded(folder: Path, clutter: float, at: float) -> Flight:
    """Return a drive of the robots of MR.CLAM."""
    return Flight(
        name=f'{folder.name} {clutter:.0%}',
        recording=load_mrclam(folder, clutter, at + WATCHED),
        parameters=mrclam_parameters(clutter),
        planted=at,
        right=RIGHT_ON_WHEELS,
        seed=int(at),
    )


def main() -> None:
    """Print a row a flight."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--scenarios', nargs='*', default=['nominal', 'hard'])
    parser.add_argument('--seeds', type=int, default=4)
    parser.add_argument('--mrclam', type=Path, help='folder of the data set')
    parser.add_argument('--clutter', nargs='+', type=float, default=[0.0, 0.3])
    parser.add_argument('--at', nargs='+', type=float, default=[60.0, 100.0, 140.0])
    given = parser.parse_args()
    flights = [
        partial(simulated, name, seed) for name in given.scenarios for seed in range(given.seeds)
    ]
    if given.mrclam:
        flights += [
            partial(recorded, given.mrclam, c, at) for c in given.clutter for at in given.at
        ]
    print('flight        seed    at  kind       wrong and sure  right again  others at worst')
    for fly in tqdm(flights, leave=False):
        flight = fly()
        for kind in KINDS:
            found = play(flight, kind)
            what = f'{flight.name:13} {flight.seed:4d} {flight.planted:5.0f}  {kind:10}'
            times = f'{found.wrong_and_sure:12.1f} s {found.right_again:10.1f} s'
            print(f'{what} {times} {found.others:14.2f} m')


if __name__ == '__main__':
    main()
