"""Cut the link of a drone in flight: how good, and how sure, is its pose once it is back.

Usage: python benchmarks/localization/outages.py --seeds 8

Neither its odometry nor its frames arrive for some seconds; the others go on and see it. Its VIO
either goes on meanwhile or begins anew at its end. Printed are, some seconds after it is back, the
mean error of its position relative to the first drone, its squared error over the covariance (3
is true), and in how many flights it was published and off by more than five sigma.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import chi2
from tqdm import tqdm

from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.geometry import quaternion_from_euler, roll_pitch_yaw, yaw_rotation
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import Recording, sample_truth
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import FloatArray, OdometrySample, nanoseconds, seconds

DRONE, BEGIN = 1, 30.0
ASKED = (0.3, 2.0, 5.0, 10.0)
"""Seconds after it is back."""

FIVE_SIGMA = chi2.ppf(0.9999994, 3)


def cut(recording: Recording, length: float, restarts: bool) -> Recording:
    """Return a recording without what a drone sent for some seconds."""
    begin_ns = recording.begin_ns + nanoseconds(BEGIN)
    end_ns = begin_ns + nanoseconds(length)
    sent = recording.odometry[DRONE]
    before = tuple(sample for sample in sent if sample.stamp_ns <= begin_ns)
    after = tuple(sample for sample in sent if sample.stamp_ns >= end_ns)
    odometry = list(recording.odometry)
    odometry[DRONE] = before + (begun_anew(after) if restarts else after)
    frames = tuple(
        frame
        for frame in recording.frames
        if frame.sightings.observer != recording.team.names[DRONE]
        or not begin_ns < frame.sightings.stamp_ns < end_ns
    )
    return replace(recording, odometry=tuple(odometry), frames=frames)


def begun_anew(samples: Sequence[OdometrySample]) -> tuple[OdometrySample, ...]:
    """Return odometry as a VIO tells it that starts at its first sample."""
    origin, yaw = samples[0].position, roll_pitch_yaw(samples[0].quaternion)[2]

    def moved(sample: OdometrySample) -> OdometrySample:
        roll, pitch, heading = roll_pitch_yaw(sample.quaternion)
        return replace(
            sample,
            position=yaw_rotation(-yaw) @ (sample.position - origin),
            quaternion=quaternion_from_euler([roll, pitch, heading - yaw]),
        )

    return tuple(map(moved, samples))


def play(recording: Recording, parameters: FilterParameters, back: float) -> FloatArray:
    """Return (times, 3) error, squared error over covariance, and whether it was published."""
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    feed, rows = OdometryFeed(recording), []
    for frame in recording.frames:
        stamp_ns = frame.sightings.stamp_ns
        feed.until(stamp_ns, localizer)
        localizer.update(frame.sightings)
        after = seconds(stamp_ns - recording.begin_ns) - back
        if len(rows) < len(ASKED) and after >= ASKED[len(rows)]:
            team = localizer.filter.predict(stamp_ns)
            truth = sample_truth(recording, np.array([stamp_ns]))[0]
            off = (team.mean - truth)[:, :3]
            error, pick = off[DRONE] - off[0], np.zeros((3, team.covariance.shape[0]))
            pick[:, 4 * DRONE : 4 * DRONE + 3], pick[:, :3] = np.eye(3), -np.eye(3)
            claimed = pick @ team.covariance @ pick.T
            squared = error @ np.linalg.solve(claimed, error)
            rows.append([np.linalg.norm(error), squared, localizer.localized[DRONE]])
    return np.array(rows)


def main() -> None:
    """Print a row for each length of the outage."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--scenario', default='nominal')
    parser.add_argument('--seeds', type=int, default=8)
    parser.add_argument('--lengths', type=float, nargs='+', default=[3.0, 10.0, 20.0])
    given = parser.parse_args()
    times = '  '.join(f'{time:4.1f}' for time in ASKED)
    print(f'seconds after:            {times}   {times}   published and wrong')
    kinds = [(length, restarts) for length in given.lengths for restarts in (False, True)]
    for length, restarts in tqdm(kinds, leave=False):
        back, runs = BEGIN + length, []
        for seed in range(given.seeds):
            scenario = load_scenario(given.scenario, seed=seed, duration=back + ASKED[-1] + 2.0)
            recording, parameters = SensorSetup().fly(scenario)
            runs.append(play(cut(recording, length, restarts), parameters, back))
        mean = np.mean(runs, axis=0)
        wrong = [(run[:, 1] > FIVE_SIGMA) & (run[:, 2] > 0.0) for run in runs]
        error = '  '.join(f'{value:4.2f}' for value in mean[:, 0])
        squared = '  '.join(f'{value:4.1f}' for value in mean[:, 1])
        kind = f'{length:2.0f} s, VIO {"restarts" if restarts else "goes on"}'
        share = '  '.join(str(count) for count in np.sum(wrong, axis=0))
        print(f'{kind:20} [m] {error} [-] {squared}   {share} of {len(runs)}')


if __name__ == '__main__':
    main()
