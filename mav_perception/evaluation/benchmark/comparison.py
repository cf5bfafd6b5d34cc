"""Score the CPDAF and its rivals on one recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.benchmark.baselines import BASELINES
from mav_perception.evaluation.metrics.team_errors import (
    normalised_error_squared,
    position_rmse,
    sample_stamps,
    team_shape_rmse,
)
from mav_perception.evaluation.playback import Estimate, dead_reckoning, play, sample_estimate
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import Recording, sample_truth
from mav_perception.types import nanoseconds, seconds

SETTLING = 10.0
"""Seconds after which the start no longer counts in `Score.settled`."""

CONSISTENCY_STEP = 10
"""NEES is taken at every so many updates: neighbours are nearly the same number."""


@dataclass(frozen=True)
class Score:
    """Figures of one filter on one recording.

    Attributes:
        team_shape: team-shape RMSE, metres.
        settled: the same, without the first `SETTLING` seconds.
        position: RMSE in map, metres.
        anees: average NEES over its degrees of freedom, 1 if the covariance is right; NaN for
            dead reckoning.
        update_ms: median computing time of a frame.
        start_seconds: first time that every drone was placed; NaN if never.
        coverage: share of drone-time with a published pose.
        commits, wrong_commits: drones placed by search, and those placed wrong.
    """

    team_shape: float
    settled: float
    position: float
    anees: float
    update_ms: float
    start_seconds: float
    coverage: float
    commits: int
    wrong_commits: int


def compare(
    recording: Recording,
    parameters: FilterParameters,
    axes: tuple[int, ...] = (0, 1, 2, 3),
    progress: bool = False,
    names: Sequence[str] = tuple(BASELINES),
    watch: Callable[[str, Estimate, AssociationLog], None] | None = None,
) -> dict[str, Score]:
    """Play a recording through dead reckoning and rivals.

    Args:
        recording: the run.
        parameters: the same for all filters.
        axes: which of x, y, z, yaw count for the NEES.
        progress: show a progress bar.
        names: which of `BASELINES`.
        watch: is given each filter's estimate and what was seen of it.
    """
    scores = {'dead_reckoning': score(recording, dead_reckoning(recording), axes)}
    for name in names:
        frames = tqdm(recording.frames, desc=name, disable=not progress, leave=False)
        joint_filter = BASELINES[name].build(recording.team, parameters)
        witness = AssociationLog(len(recording.team.names))
        estimate = play(recording, joint_filter, frames, witness.saw)
        scores[name] = score(recording, estimate, axes)
        if watch is not None:
            watch(name, estimate, witness)
    return scores


def score(recording: Recording, estimate: Estimate, axes: tuple[int, ...]) -> Score:
    """Measure one estimate against the truth of its recording."""
    stamps = sample_stamps(recording.begin_ns, recording.end_ns)
    truth = sample_truth(recording, stamps)
    poses = sample_estimate(recording, estimate, stamps)
    late = stamps >= recording.begin_ns + nanoseconds(SETTLING)
    start_ns = estimate.start_ns
    return Score(
        team_shape_rmse(poses, truth),
        team_shape_rmse(poses[late], truth[late]) if late.any() else float('nan'),
        position_rmse(poses, truth),
        average_nees(recording, estimate, axes),
        float(np.median(estimate.update_ms)),
        float('nan') if start_ns is None else seconds(start_ns - recording.begin_ns),
        estimate.coverage,
        len(estimate.commits),
        sum(commit.wrong for commit in estimate.commits),
    )


def average_nees(recording: Recording, estimate: Estimate, axes: tuple[int, ...]) -> float:
    """Return the average NEES per degree of freedom while all drones are placed, or NaN."""
    if len(estimate.states) < 2:
        return float('nan')
    index = np.flatnonzero(estimate.placed.all(axis=1))[::CONSISTENCY_STEP]
    truth = sample_truth(recording, estimate.stamps[index])
    values = [
        normalised_error_squared(estimate.states[i], t, axes)
        for i, t in zip(index, truth, strict=True)
    ]
    if not values:
        return float('nan')
    return float(np.sum([v for v, _ in values]) / np.sum([d for _, d in values]))


def table(scores: dict[str, Score]) -> str:
    """Lay the scores out as text."""
    lines = [f'{"":20} {"team-shape RMSE":>16} {"RMSE in map":>12} {"ANEES":>8} {"frame":>9}']
    for name, result in scores.items():
        lines.append(
            f'{name.replace("_", " "):20} {result.team_shape:14.3f} m {result.position:10.3f} m '
            f'{result.anees:8.2f} {result.update_ms:6.2f} ms'
        )
    return '\n'.join(lines)
