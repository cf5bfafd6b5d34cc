"""Score the CPDAF and its baselines on one recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.benchmark.baselines import BASELINES
from mav_perception.evaluation.metrics.run_score import RunScore, run_score
from mav_perception.evaluation.metrics.team_errors import (
    normalised_error_squared,
    sample_stamps,
    team_shape_rmse,
)
from mav_perception.evaluation.odometry_paths import vio_alone
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
        errors: RMSE over the run.
        settled: team-shape RMSE without the first `SETTLING` seconds, metres.
        anees: average NEES over its degrees of freedom, 1 if the covariance is right; NaN for
            dead reckoning.
        update_ms: median computing time of a frame.
        start_seconds: first time that every drone was localized; NaN if never.
        coverage: share of drone-time with a published pose.
        initializations, wrong_initializations: drones found by search, and those of them at a
            wrong pose.
    """

    errors: RunScore
    settled: float
    anees: float
    update_ms: float
    start_seconds: float
    coverage: float
    initializations: int
    wrong_initializations: int

    @property
    def team_shape(self) -> float:
        """Return the team-shape RMSE, metres."""
        return self.errors.team_shape

    def figures(self) -> dict[str, float]:
        """Return what a table of filters shows."""
        return {
            'team_shape': self.team_shape,
            'position': self.errors.position,
            'settled': self.settled,
            'anees': self.anees,
            'update_ms': self.update_ms,
            'start_seconds': self.start_seconds,
            'coverage': self.coverage,
        }


def compare(
    recording: Recording,
    parameters: FilterParameters,
    axes: tuple[int, ...] = (0, 1, 2, 3),
    progress: bool = False,
    names: Sequence[str] = tuple(BASELINES),
    watch: Callable[[str, Estimate, AssociationLog], None] | None = None,
) -> dict[str, Score]:
    """Play a recording through dead reckoning and baselines.

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
        joint_filter = BASELINES[name].build(recording, parameters)
        associations = AssociationLog(len(recording.team.names))
        estimate = play(recording, joint_filter, frames, associations.saw)
        scores[name] = score(recording, estimate, axes)
        if watch is not None:
            watch(name, estimate, associations)
    return scores


def score(recording: Recording, estimate: Estimate, axes: tuple[int, ...]) -> Score:
    """Measure one estimate against the truth of its recording."""
    stamps = sample_stamps(recording.begin_ns, recording.end_ns)
    truth = sample_truth(recording, stamps)
    poses = sample_estimate(recording, estimate, stamps)
    late = stamps >= recording.begin_ns + nanoseconds(SETTLING)
    vio = [vio_alone(recording, drone, stamps) for drone in range(len(recording.team.names))]
    start_ns = estimate.start_ns
    return Score(
        errors=run_score(poses, np.stack(vio, axis=1), truth),
        settled=team_shape_rmse(poses[late], truth[late]) if late.any() else float('nan'),
        anees=average_nees(recording, estimate, axes),
        update_ms=float(np.median(estimate.update_ms)) if len(estimate.update_ms) else np.nan,
        start_seconds=float('nan') if start_ns is None else seconds(start_ns - recording.begin_ns),
        coverage=estimate.coverage,
        initializations=len(estimate.initializations),
        wrong_initializations=sum(found.wrong for found in estimate.initializations),
    )


def average_nees(recording: Recording, estimate: Estimate, axes: tuple[int, ...]) -> float:
    """Return the average NEES per degree of freedom while all drones are localized, or NaN."""
    if len(estimate.states) < 2:
        return float('nan')
    index = np.flatnonzero(estimate.localized.all(axis=1))[::CONSISTENCY_STEP]
    truth = sample_truth(recording, estimate.stamps[index])
    values = [
        normalised_error_squared(estimate.states[i], t, axes)
        for i, t in zip(index, truth, strict=True)
        if np.isfinite(t).all()
    ]
    if not values:
        return float('nan')
    return float(np.sum([v for v, _ in values]) / np.sum([d for _, d in values]))


def table(scores: dict[str, Score]) -> str:
    """Lay the scores out as text."""
    lines = [f'{"":20} {"team-shape RMSE":>16} {"RMSE in map":>12} {"ANEES":>8} {"frame":>9}']
    for name, result in scores.items():
        lines.append(
            f'{name.replace("_", " "):20} {result.team_shape:14.3f} m '
            f'{result.errors.position:10.3f} m {result.anees:8.2f} {result.update_ms:6.2f} ms'
        )
    return '\n'.join(lines)
