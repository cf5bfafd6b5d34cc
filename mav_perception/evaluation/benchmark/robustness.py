"""One real recording under many small changes, to see whether the result hangs on any.

A single run is luck. Here the same recording begins at other times, loses sightings at random, and
meets a filter with wrong priors; every run is compared with 'labelled', the filter that is told
the identities, under the same change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from mav_perception.errors import DataError
from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.benchmark.comparison import compare
from mav_perception.evaluation.benchmark.monte_carlo import LOST
from mav_perception.evaluation.benchmark.perturbations import PERTURBATIONS
from mav_perception.evaluation.benchmark.process_pool import in_processes
from mav_perception.evaluation.metrics.team_errors import (
    errors_in_sigmas,
    sample_stamps,
    team_shape_rmse,
)
from mav_perception.evaluation.playback import Estimate, sample_estimate
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import Recording, sample_truth
from mav_perception.types import TeamState, nanoseconds

LAST_SECONDS = 60.0
"""A run is lost if its team-shape RMSE over the last so many seconds exceeds `LOST`."""

WRONG_SIGMAS = 5.0
"""A pose is published wrong if it is off within the team by more of its own sigmas than this."""

JUDGED_STEP = 10
"""Poses are judged at every so many frames."""

Load = Callable[[], tuple[Recording, FilterParameters, tuple[int, ...]]]


@dataclass(frozen=True)
class Task:
    """One run: a recording and what is changed.

    Attributes:
        name: of the recording.
        load: reads it, with its parameters and the axes that count for the NEES.
        offset: seconds that are left out at the beginning.
        change: a key of `PERTURBATIONS`.
        seed: of what is drawn.
        unknown_start: the CPDAF is not told where the drones begin.
        drones: indices of those that take part, empty for all.
    """

    name: str
    load: Load
    offset: float
    change: str
    seed: int = 0
    unknown_start: bool = False
    drones: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes:
        recording, offset, change, seed: of the task.
        team_shape: RMSE, metres.
        ratio: of it to that of 'labelled' in the same run.
        last: team-shape RMSE of the last `LAST_SECONDS`.
        anees: average NEES per degree of freedom.
        start_seconds: first time that every drone was localized; NaN if never.
        judged, wrong: numbers of published poses that were judged, and were wrong.
    """

    recording: str
    offset: float
    change: str
    seed: int
    team_shape: float
    ratio: float
    last: float
    anees: float
    start_seconds: float
    judged: int
    wrong: int

    @property
    def lost(self) -> bool:
        """Tell whether the filter no longer knew at the end where the drones were."""
        return not self.last <= LOST


def run_task(task: Task) -> Outcome:
    """Play one changed recording through the CPDAF and the filter that knows the identities.

    Raises:
        DataError: the recording has no true poses.
    """
    recording, parameters, axes = task.load()
    if not recording.has_truth:
        raise DataError(f'{task.name} has no true poses: record ground_truth/pose too.')
    if task.drones:
        recording = recording.of_drones(task.drones)
    recording = recording.since(recording.begin_ns + nanoseconds(task.offset))
    recording, parameters = PERTURBATIONS[task.change](recording, parameters, task.seed)
    estimates: dict[str, Estimate] = {}

    def keep(name: str, estimate: Estimate, associations: AssociationLog) -> None:
        estimates[name] = estimate

    team = recording.team.with_unknown_start() if task.unknown_start else recording.team
    played = replace(recording, team=team)
    scores = compare(played, parameters, axes, names=('cpdaf',), watch=keep)
    scores |= compare(recording, parameters, axes, names=('labelled',))
    judged, wrong = count_wrong(recording, estimates['cpdaf'])
    return Outcome(
        recording=task.name,
        offset=task.offset,
        change=task.change,
        seed=task.seed,
        team_shape=scores['cpdaf'].team_shape,
        ratio=scores['cpdaf'].team_shape / scores['labelled'].team_shape,
        last=_last(recording, estimates['cpdaf']),
        anees=scores['cpdaf'].anees,
        start_seconds=scores['cpdaf'].start_seconds,
        judged=judged,
        wrong=wrong,
    )


def count_wrong(recording: Recording, estimate: Estimate) -> tuple[int, int]:
    """Return how many published poses were judged, and how many of them were wrong."""
    index = range(0, len(estimate.stamps), JUDGED_STEP)
    truth = sample_truth(recording, estimate.stamps[::JUDGED_STEP])
    judged = wrong = 0
    for k, true in zip(index, truth, strict=True):
        published = np.flatnonzero(estimate.localized[k] & np.isfinite(true).all(axis=1))
        if len(published) < 2:
            continue
        rows = (4 * published[:, None] + np.arange(4)).ravel()
        state = estimate.states[k]
        covariance = state.covariance[np.ix_(rows, rows)]
        team = TeamState(state.stamp_ns, state.mean[published], covariance)
        judged += len(published)
        wrong += int((errors_in_sigmas(team, true[published]) > WRONG_SIGMAS).sum())
    return judged, wrong


def _last(recording: Recording, estimate: Estimate) -> float:
    begin = max(recording.begin_ns, recording.end_ns - nanoseconds(LAST_SECONDS))
    stamps = sample_stamps(begin, recording.end_ns)
    return team_shape_rmse(
        sample_estimate(recording, estimate, stamps), sample_truth(recording, stamps)
    )


def run_tasks(tasks: Sequence[Task], processes: int) -> list[Outcome]:
    """Run all in parallel processes, with a progress bar."""
    outcomes = in_processes(run_task, tasks, processes)
    return list(tqdm(outcomes, total=len(tasks), leave=False))


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures of all runs together, and of each.

    Ratios are of the runs in which anybody was localized, NaN if that was none.
    """
    known = [outcome.ratio for outcome in outcomes if np.isfinite(outcome.ratio)]
    ratios = np.array(known or [np.nan])
    judged = sum(outcome.judged for outcome in outcomes)
    return {
        'runs': len(outcomes),
        'never_localized': len(outcomes) - len(known),
        'ratio_median': float(np.median(ratios)),
        'ratio_p95': float(np.quantile(ratios, 0.95)),
        'ratio_worst': float(ratios.max()),
        'lost': sum(outcome.lost for outcome in outcomes),
        'published_wrong_share': sum(outcome.wrong for outcome in outcomes) / max(judged, 1),
        'each': [asdict(outcome) for outcome in outcomes],
    }


def table(outcomes: Sequence[Outcome]) -> str:
    """Lay the outcomes out as text, a row a run."""
    lines = [
        f'{"recording":18} {"begins":>7} {"change":10} {"seed":>4} {"team-shape RMSE":>16} '
        f'{"ratio":>6} {"last 60 s":>10} {"ANEES":>6} {"start":>8} {"wrong":>7}'
    ]
    for one in outcomes:
        share = 100.0 * one.wrong / max(one.judged, 1)
        lines.append(
            f'{one.recording:18} {one.offset:5.0f} s {one.change:10} {one.seed:4d} '
            f'{one.team_shape:14.3f} m {one.ratio:6.2f} {one.last:8.3f} m {one.anees:6.2f} '
            f'{one.start_seconds:6.1f} s {share:5.1f} %{" lost" if one.lost else ""}'
        )
    return '\n'.join(lines)
