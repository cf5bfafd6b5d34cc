"""Cut the link of a drone in flight: how good, and how sure, is its pose once it is back.

Usage: python benchmarks/localization/outages.py --seeds 8

Neither its odometry nor its frames arrive for some seconds; the others go on and see it. Its VIO
goes on meanwhile, or begins anew at the end, and then its first poses arrive or are lost too.
Printed are, some seconds after it is back, the mean error of its position relative to the first
drone and its squared error over the covariance (3 is true); after how long it is published again,
in the median and at worst; and in how many flights its place or its yaw was published off by more
than five sigma, and for how long in the worst one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2
from tqdm import tqdm

from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.geometry import quaternion_from_euler, roll_pitch_yaw, wrap_angle, yaw_rotation
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import Recording, sample_truth
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import FloatArray, OdometrySample, nanoseconds, seconds

DRONE, BEGIN, AFTER = 1, 30.0, 12.0
ASKED = (0.3, 2.0, 5.0, 10.0)
"""Seconds after it is back."""

STEP = 0.1
"""Seconds between two looks at what is published."""

LOST_POSES = 0.6
"""Seconds of odometry that are lost with the link: the VIO is away from its origin by then."""

KINDS = {
    'VIO goes on': (False, 0.0),
    'VIO restarts': (True, 0.0),
    'restarts, not noticed': (True, LOST_POSES),
}
"""Name -> whether the VIO restarts, and for how many seconds more nothing of it comes."""

FIVE_SIGMA = chi2.ppf(0.9999994, 3)


def cut(recording: Recording, length: float, restarts: bool, lost: float) -> Recording:
    """Return a recording without what a drone sent for some seconds.

    Args:
        recording: the flight.
        length: seconds without a link.
        restarts: the VIO begins anew when the link is back.
        lost: seconds for which no odometry comes then.
    """
    begin_ns = recording.begin_ns + nanoseconds(BEGIN)
    end_ns = begin_ns + nanoseconds(length)
    sent = recording.odometry[DRONE]
    before = tuple(sample for sample in sent if sample.stamp_ns <= begin_ns)
    after = tuple(sample for sample in sent if sample.stamp_ns >= end_ns)
    odometry = list(recording.odometry)
    after = begun_anew(after) if restarts else after
    heard_ns = end_ns + nanoseconds(lost)
    odometry[DRONE] = before + tuple(sample for sample in after if sample.stamp_ns >= heard_ns)
    frames = tuple(
        frame
        for frame in recording.frames
        if frame.sightings.observer != recording.team.names[DRONE]
        or not begin_ns < frame.sightings.stamp_ns <= heard_ns
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


@dataclass(frozen=True)
class Return:
    """How a drone came back.

    Attributes:
        error, squared: (times,) metres, and squared over the covariance, at the times `ASKED`.
        published_after: seconds until it was published; infinite for never.
        wrong: seconds for which it was published and wrong.
    """

    error: FloatArray
    squared: FloatArray
    published_after: float
    wrong: float


def play(recording: Recording, parameters: FilterParameters, back: float) -> Return:
    """Return what became of the drone after it was back."""
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    feed, rows = OdometryFeed(recording), []
    for frame in recording.frames:
        stamp_ns = frame.sightings.stamp_ns
        feed.until(stamp_ns, localizer)
        localizer.update(frame.sightings)
        after = seconds(stamp_ns - recording.begin_ns) - back
        if after >= 0.0 and (not rows or after >= rows[-1][0] + STEP):
            published = bool(localizer.localized[DRONE])
            rows.append((after, published, *look(localizer, recording, stamp_ns)))
    after, published, error, squared, turned = np.array(rows).T
    asked = np.searchsorted(after, ASKED)
    wrong = (published > 0.0) & ((squared > FIVE_SIGMA) | (turned > 5.0))
    return Return(
        error=error[asked],
        squared=squared[asked],
        published_after=float(after[published > 0.0].min(initial=np.inf)),
        wrong=float((np.diff(after, append=after[-1]) * wrong).sum()),
    )


def look(
    localizer: TeamLocalizer, recording: Recording, stamp_ns: int
) -> tuple[float, float, float]:
    """Return error, squared error over the covariance, and error of the yaw in sigmas."""
    team = localizer.filter.predict(stamp_ns)
    off = team.mean - sample_truth(recording, np.array([stamp_ns]))[0]
    error, pick = off[DRONE, :3] - off[0, :3], np.zeros((3, team.covariance.shape[0]))
    pick[:, 4 * DRONE : 4 * DRONE + 3], pick[:, :3] = np.eye(3), -np.eye(3)
    squared = float(error @ np.linalg.solve(pick @ team.covariance @ pick.T, error))
    turned = abs(float(wrap_angle(off[DRONE, 3]))) / np.sqrt(team.block(DRONE)[3, 3])
    return float(np.linalg.norm(error)), squared, turned


def main() -> None:
    """Print a row for each length of the outage."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--scenario', default='nominal')
    parser.add_argument('--seeds', type=int, default=8)
    parser.add_argument('--lengths', type=float, nargs='+', default=[3.0, 20.0])
    given = parser.parse_args()
    times = '  '.join(f'{time:4.1f}' for time in ASKED)
    print(f'{"seconds after:":31} {times}   {times}   published after   wrong, at worst')
    kinds = [(length, *kind) for length in given.lengths for kind in KINDS.items()]
    for length, name, (restarts, lost) in tqdm(kinds, leave=False):
        back, runs = BEGIN + length, []
        for seed in range(given.seeds):
            scenario = load_scenario(given.scenario, seed=seed, duration=back + AFTER)
            recording, parameters = SensorSetup().fly(scenario)
            runs.append(play(cut(recording, length, restarts, lost), parameters, back))
        error = '  '.join(f'{value:4.2f}' for value in np.mean([r.error for r in runs], axis=0))
        means = np.mean([r.squared for r in runs], axis=0)
        squared = '  '.join(f'{value:4.1f}' for value in means)
        waited = np.array([run.published_after for run in runs])
        wrong = np.array([run.wrong for run in runs])
        print(
            f'{length:2.0f} s, {name:21} [m] {error} [-] {squared}   '
            f'{np.median(waited):4.1f}, {waited.max():4.1f} s     '
            f'{(wrong > 0.0).sum()} of {len(runs)}, {wrong.max():.1f} s'
        )


if __name__ == '__main__':
    main()
