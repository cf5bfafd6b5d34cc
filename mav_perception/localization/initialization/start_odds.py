"""Start odds: by how much the best joint hypothesis beats all in which a drone is elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import logsumexp

from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.joint_hypotheses import (
    JointPoseHypothesis,
    joint_hypotheses,
)
from mav_perception.localization.initialization.known_drones import KnownDrones
from mav_perception.localization.initialization.team_modes import TeamModes, modes_seen_from
from mav_perception.localization.parameters import FilterParameters


def log_odds(drone: int, hypotheses: list[JointPoseHypothesis], team: TeamModes) -> float:
    """Return the log odds of a drone being where the best hypothesis has it, against all others.

    Args:
        drone: one that the best hypothesis holds.
        hypotheses: the likeliest, the best first.
        team: what they are made of.
    """
    mode = hypotheses[0].chosen[drone]
    here = [h.score for h in hypotheses if h.chosen.get(drone) == mode]
    elsewhere = [h.score for h in joint_hypotheses(team, but_not=(drone, mode))]
    return float(logsumexp(here) - logsumexp(elsewhere))


def competing_evidence(
    drone: int,
    best: JointPoseHypothesis,
    scans: StackedScans,
    wanted: tuple[int, ...],
    parameters: FilterParameters,
) -> float:
    """Return how much better others explain what a drone saw if it is not where `best` has it.

    Its own sightings speak for its pose only as far as it cannot have seen drones whose pose is
    not known yet, or static objects, from somewhere else. A hypothesis that has it elsewhere, or
    nowhere, does not say what it saw there. It takes a search in the drone's own frame.
    """
    nothing = np.zeros((len(scans.back), 4))
    alone = np.arange(len(scans.back)) == drone
    known = KnownDrones(nothing, nothing, alone, np.zeros((0, 3)))
    # In its own frame nothing holds that the filter has told in map.
    scans = replace(scans, poses=np.full_like(scans.poses, np.nan))
    team = modes_seen_from(scans, known, [d for d in wanted if d != drone], parameters)
    elsewhere = joint_hypotheses(team)[0].score
    with_best = replace(team, explained=team.explained + best.intensity_ratio)
    here = joint_hypotheses(with_best)[0].score
    own = scans.observer[scans.scan] == drone
    most = float(team.weight[own] @ np.log1p(best.intensity_ratio[own]))
    return float(np.clip(elsewhere - here, 0.0, most))
