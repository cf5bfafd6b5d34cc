"""Plant a wrong belief in the filter, and see how long it is published and whether it mends.

Usage: python benchmarks/localization/planted_errors.py --scenarios nominal hard --seeds 4

At 30 s either two drones are swapped in the joint state, or one is put metres aside and turned, as
if somebody had carried it. Printed is after how many seconds the first of the wrong poses was
withdrawn, after how many all drones were right again for good (within 0.5 m, aligned), and the
worst error of the other drones meanwhile.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.evaluation.metrics.team_errors import align_team
from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.state import JointState
from mav_perception.recordings.recording import Recording, sample_truth
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import FloatArray, seconds

FIRST, SECOND = 1, 2
"""Whose poses are spoiled; of 'carried' the second's alone."""

PLANTED, LENGTH, RIGHT = 30.0, 80.0, 0.5
KINDS = ('swapped', 'carried')


@dataclass(frozen=True)
class Outcome:
    """What came of it: seconds after the planting, NaN for never, and metres."""

    withdrawn: float
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


def play(recording: Recording, localizer: TeamLocalizer, kind: str, seed: int) -> Outcome:
    """Fly, spoil the state, and watch."""
    feed, rng = OdometryFeed(recording), np.random.default_rng(seed)
    times: list[float] = []
    errors: list[FloatArray] = []
    withdrawn, planted = float('nan'), False
    for frame in recording.frames:
        stamp_ns = frame.sightings.stamp_ns
        after = seconds(stamp_ns - recording.begin_ns) - PLANTED
        feed.until(stamp_ns, localizer)
        if after >= 0.0 and not planted:
            state = localizer.filter.state_at(stamp_ns)
            localizer.filter.replace_state(spoiled(state, kind, rng))
            planted = True
        _, notices = localizer.update(frame.sightings)
        if planted:
            if np.isnan(withdrawn) and any(n.code == 'drone_lost' for n in notices):
                withdrawn = after
            truth = sample_truth(recording, np.array([stamp_ns]))[:, :, :3]
            poses = localizer.filter.predict(stamp_ns).mean[None, :, :3]
            times.append(after)
            errors.append(np.linalg.norm(align_team(poses, truth)[0] - truth[0], axis=1))
    error, time = np.array(errors), np.array(times)
    wrong = np.flatnonzero(error.max(axis=1) > RIGHT)
    last = int(wrong[-1]) if len(wrong) else -1
    again = float(time[last + 1]) if last + 1 < len(time) else float('nan')
    others = np.delete(error, [FIRST, SECOND] if kind == 'swapped' else [SECOND], axis=1)
    return Outcome(withdrawn, again, float(others.max()))


def main() -> None:
    """Print a row a flight."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--scenarios', nargs='+', default=['nominal', 'hard'])
    parser.add_argument('--seeds', type=int, default=4)
    given = parser.parse_args()
    print('scenario   seed kind       withdrawn  right again  others at worst')
    for name in given.scenarios:
        for seed in tqdm(range(given.seeds), desc=name, leave=False):
            scenario = load_scenario(name, seed=seed, duration=LENGTH)
            recording, parameters = SensorSetup().fly(scenario)
            for kind in KINDS:
                joint_filter = CoupledPdaFilter(recording.team, parameters)
                found = play(recording, TeamLocalizer(joint_filter), kind, seed)
                print(
                    f'{name:10} {seed:4d} {kind:10} {found.withdrawn:7.1f} s '
                    f'{found.right_again:10.1f} s {found.others:14.2f} m'
                )


if __name__ == '__main__':
    main()
