"""Joint hypotheses: who is where, so that together they explain all sightings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from mav_perception.localization.initialization.pose_modes import PoseMode
from mav_perception.types import FloatArray

BEAM = 30
MODES_KEPT = 10
MAX_LOSS = 30.0
"""A hypothesis that loses more than this by a drone is not followed further, log odds."""

STATIC_OBJECT = -1


@dataclass(frozen=True)
class Background:
    """The J buffered sightings before any drone is added.

    Attributes:
        explained: (J,) intensity of known drones and objects, over the clutter density.
        weight: (J,) by which each counts.
    """

    explained: FloatArray
    weight: FloatArray


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
    modes: dict[int, list[PoseMode]],
    background: Background,
    but_not: tuple[int, int] | None = None,
) -> list[JointPoseHypothesis]:
    """Return the likeliest joint hypotheses, the best first.

    Every drone takes one of its modes or none; static objects may take any number. The beam keeps
    the likeliest while drone after drone is decided.

    Args:
        modes: of every drone, and of static objects under the key -1.
        background: what explains the sightings already.
        but_not: a drone and the mode that it must not take.
    """
    choices = [(k, list(enumerate(m[:MODES_KEPT]))) for k, m in modes.items() if k >= 0]
    objects = modes.get(STATIC_OBJECT, [])[:MODES_KEPT]
    choices += [(STATIC_OBJECT - i, [(0, mode)]) for i, mode in enumerate(objects)]
    choices.sort(key=lambda item: -max((m.evidence for _, m in item[1]), default=-np.inf))
    free = 1.0 + background.explained
    beam = [JointPoseHypothesis({}, np.zeros_like(background.explained), 0.0, 0.0)]
    for key, options in choices:
        grown = list(beam)
        for base in beam:
            for index, mode in options:
                if (key, index) == but_not or mode.evidence < 0.0:
                    continue
                ratio = base.intensity_ratio + mode.intensity_ratio
                log_prior_less_cost = base.log_prior_less_cost + mode.log_prior - mode.cost
                score = float(background.weight @ np.log1p(ratio / free)) + log_prior_less_cost
                if score > base.score - MAX_LOSS:
                    grown.append(
                        JointPoseHypothesis(
                            base.chosen | {key: index}, ratio, log_prior_less_cost, score
                        )
                    )
        grown.sort(key=lambda e: -e.score)
        beam = grown[:BEAM]
    return beam


def margin(
    drone: int,
    mode: int,
    hypotheses: list[JointPoseHypothesis],
    modes: dict[int, list[PoseMode]],
    background: Background,
) -> float:
    """Return the log odds of a drone being at a mode against all joint hypotheses without that."""
    with_it = [e.score for e in hypotheses if e.chosen.get(drone) == mode]
    without = [e.score for e in joint_hypotheses(modes, background, (drone, mode))]
    return float(logsumexp(with_it) - logsumexp(without))
