"""Joint hypotheses: who is where, so that together they explain all sightings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.initialization.mutual_sightings import DroneMode
from mav_perception.localization.initialization.pose_modes import PoseMode
from mav_perception.localization.initialization.team_modes import STATIC_OBJECT, TeamModes
from mav_perception.types import FloatArray

BEAM = 30
MAX_LOSS = 30.0
"""A hypothesis that loses more than this by a drone is not followed further, log odds."""


@dataclass(frozen=True)
class JointPoseHypothesis:
    """A joint hypothesis: modes of some drones that together explain the sightings.

    Attributes:
        chosen: mode of each drone that it holds; static objects have keys below 0.
        intensity_ratio: (J,) intensity of all that it holds at each sighting over the clutter
            density.
        log_prior_less_cost: log priors less costs of all its modes.
        score: log evidence.
    """

    chosen: dict[int, int]
    intensity_ratio: FloatArray
    log_prior_less_cost: float
    score: float


def joint_hypotheses(
    team: TeamModes, but_not: DroneMode | None = None
) -> list[JointPoseHypothesis]:
    """Return the likeliest joint hypotheses, the best first.

    Every drone takes one of its modes or none; static objects may take any number. The beam keeps
    the likeliest while drone after drone is decided. What the drones of a hypothesis saw of each
    other speaks for it, or against it.

    Args:
        team: modes, and what explains the sightings already.
        but_not: a drone and the mode that it must not take.
    """
    beam = [JointPoseHypothesis({}, np.zeros_like(team.explained), 0.0, 0.0)]
    for key, options in _choices(team):
        grown = list(beam)
        for base in beam:
            for index, mode in options:
                if (key, index) == but_not:
                    continue
                more = _with(base, key, index, mode, team)
                if more.score > base.score - MAX_LOSS:
                    grown.append(more)
        grown.sort(key=lambda e: -e.score)
        beam = grown[:BEAM]
    return beam


def _choices(team: TeamModes) -> list[tuple[int, list[tuple[int, PoseMode]]]]:
    """Return what is decided step by step, who has the strongest evidence first."""
    drones = [(key, modes) for key, modes in team.modes.items() if key != STATIC_OBJECT]
    objects = team.modes.get(STATIC_OBJECT, [])
    choices = [(key, list(enumerate(modes))) for key, modes in drones]
    choices += [(STATIC_OBJECT - i, [(0, mode)]) for i, mode in enumerate(objects)]
    choices.sort(key=lambda item: -max((m.evidence for _, m in item[1]), default=-np.inf))
    return choices


def _with(
    base: JointPoseHypothesis, key: int, index: int, mode: PoseMode, team: TeamModes
) -> JointPoseHypothesis:
    """Return a hypothesis that holds one drone, or static object, more."""
    ratio = base.intensity_ratio + mode.intensity_ratio
    log_prior_less_cost = base.log_prior_less_cost + mode.log_prior - mode.cost
    for other in base.chosen.items():
        if team.mutual is not None and min(key, other[0]) > STATIC_OBJECT:
            mutual = team.mutual.between((key, index), other)
            ratio = ratio + mutual.intensity_ratio
            log_prior_less_cost -= mutual.cost
    explained = np.log1p(ratio / (1.0 + team.explained))
    score = float(team.weight @ explained) + log_prior_less_cost
    return JointPoseHypothesis(base.chosen | {key: index}, ratio, log_prior_less_cost, score)
