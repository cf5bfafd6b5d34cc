"""Score the CPDAF and its rivals on one recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from mav_perception.evaluation.recording import (
    Estimate,
    Recording,
    dead_reckoning,
    play,
    sample_estimate,
    sample_truth,
)
from mav_perception.evaluation.trajectories import (
    normalised_error_squared,
    position_rmse,
    sample_stamps,
    team_shape_rmse,
)
from mav_perception.localization.association import (
    Associate,
    joint_association_events,
    labelled_event,
    nearest_neighbour_event,
)
from mav_perception.localization.parameters import FilterParameters

RIVALS: dict[str, Associate] = {
    'nearest_neighbour': nearest_neighbour_event,
    'cpdaf': joint_association_events,
    'labelled': labelled_event,
}
"""Associations by their name in every table and JSON; 'labelled' knows the identities."""

CONSISTENCY_STEP = 10
"""NEES is taken at every so many updates: neighbours are nearly the same number."""


@dataclass(frozen=True)
class Score:
    """Figures of one filter on one recording.

    Attributes:
        team_shape: team-shape RMSE, metres.
        position: RMSE in map, metres.
        anees: average NEES over its degrees of freedom, 1 if the covariance is right; NaN for
            dead reckoning.
        update_ms: median computing time of an update.
    """

    team_shape: float
    position: float
    anees: float
    update_ms: float


def compare(
    recording: Recording,
    parameters: FilterParameters,
    axes: tuple[int, ...] = (0, 1, 2, 3),
    progress: bool = False,
) -> dict[str, Score]:
    """Play a recording through dead reckoning and every rival.

    Args:
        recording: the run.
        parameters: the same for all filters.
        axes: which of x, y, z, yaw count for the NEES.
        progress: show a progress bar.
    """
    scores = {'dead_reckoning': score(recording, dead_reckoning(recording), axes)}
    for name, associate in RIVALS.items():
        frames = tqdm(recording.frames, desc=name, disable=not progress, leave=False)
        scores[name] = score(recording, play(recording, parameters, associate, frames), axes)
    return scores


def score(recording: Recording, estimate: Estimate, axes: tuple[int, ...]) -> Score:
    """Measure one estimate against the truth of its recording."""
    stamps = sample_stamps(recording.begin_ns, recording.end_ns)
    truth = sample_truth(recording, stamps)
    poses = sample_estimate(recording, estimate, stamps)
    return Score(
        team_shape_rmse(poses, truth),
        position_rmse(poses, truth),
        average_nees(recording, estimate, axes),
        float(np.median(estimate.update_ms)),
    )


def average_nees(recording: Recording, estimate: Estimate, axes: tuple[int, ...]) -> float:
    """Return the average NEES per degree of freedom, NaN for an estimate without updates."""
    if len(estimate.states) < 2:
        return float('nan')
    states = estimate.states[::CONSISTENCY_STEP]
    truth = sample_truth(recording, np.array([state.stamp_ns for state in states]))
    values = [normalised_error_squared(s, t, axes) for s, t in zip(states, truth, strict=True)]
    return float(np.sum([v for v, _ in values]) / np.sum([d for _, d in values]))


def table(scores: dict[str, Score]) -> str:
    """Lay the scores out as text."""
    lines = [f'{"":18} {"team-shape RMSE":>16} {"RMSE in map":>12} {"ANEES":>8} {"update":>9}']
    for name, result in scores.items():
        lines.append(
            f'{name.replace("_", " "):18} {result.team_shape:14.3f} m {result.position:10.3f} m '
            f'{result.anees:8.2f} {result.update_ms:6.2f} ms'
        )
    return '\n'.join(lines)
