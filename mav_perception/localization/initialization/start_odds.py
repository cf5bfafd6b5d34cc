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
from mav_perception.localization.initialization.team_modes import ModeFinder, TeamModes
from mav_perception.localization.parameters import FilterParameters

NEGLIGIBLE = 5.0
"""What is so much less likely than it would have to be does not count, log odds."""


class CompetingEvidence:
    """How much better others explain what a drone saw if it is not where a hypothesis has it.

    Its own sightings speak for its pose only as far as it cannot have seen drones whose pose is
    not known yet, or static objects, from somewhere else. A joint hypothesis in which it is
    somewhere else does not say what it saw there, so that this is added to it.
    """

    def __init__(
        self,
        best: JointPoseHypothesis,
        scans: StackedScans,
        wanted: tuple[int, ...],
        parameters: FilterParameters,
    ) -> None:
        """Keep the hypothesis and what it takes; nothing is worked out yet."""
        self._best, self._wanted, self._parameters = best, wanted, parameters
        # In a drone's own frame nothing holds that the filter has told in map.
        self._scans = replace(scans, poses=np.full_like(scans.poses, np.nan))
        self._known: dict[int, float] = {}

    def upper_bound(self, drone: int) -> float:
        """Return an upper bound of `of`: all that the drone's own sightings bring."""
        own = self._scans.observer[self._scans.scan] == drone
        gain = np.log1p(self._best.intensity_ratio[own])
        return float(self._scans.weight[self._scans.scan[own]] @ gain)

    def of(self, drone: int) -> float:
        """Return the evidence; of a drone that was not asked for yet by a search in its frame."""
        if drone not in self._known:
            self._known[drone] = self._search(drone)
        return self._known[drone]

    def _search(self, drone: int) -> float:
        known = KnownDrones.alone(drone, np.zeros(4), np.zeros(4), len(self._scans.back))
        others = [other for other in self._wanted if other != drone]
        finder = ModeFinder(self._scans, known, self._parameters, both_ways=False)
        team = finder.team_modes(others)
        elsewhere = joint_hypotheses(team)[0].score
        explained = team.explained + self._best.intensity_ratio
        here = joint_hypotheses(replace(team, explained=explained))[0].score
        return float(np.clip(elsewhere - here, 0.0, self.upper_bound(drone)))


def start_odds(
    drone: int,
    hypotheses: list[JointPoseHypothesis],
    team: TeamModes,
    competing: CompetingEvidence,
    needed: float,
) -> float:
    """Return the log odds of a drone being where the best hypothesis has it, or less.

    Args:
        drone: one that the best hypothesis holds.
        hypotheses: the likeliest, the best first.
        team: what they are made of.
        competing: evidence against the best hypothesis.
        needed: what cannot bring the odds below this is not worked out exactly.
    """
    best = hypotheses[0].chosen
    here = logsumexp([h.score for h in hypotheses if h.chosen.get(drone) == best[drone]])
    others = joint_hypotheses(team, but_not=(drone, best[drone]))
    odds = float(here - logsumexp([other.score for other in others]))
    if odds <= needed:
        return odds
    harmless = float(here) - needed - NEGLIGIBLE
    scores = [_score(other, best, competing, harmless) for other in others]
    return float(here - logsumexp(scores))


def _score(
    other: JointPoseHypothesis,
    best: dict[int, int],
    competing: CompetingEvidence,
    harmless: float,
) -> float:
    """Return the score of a hypothesis with all that the drones it moves may have seen there."""
    moved = [d for d, mode in best.items() if d >= 0 and other.chosen.get(d) != mode]
    most = other.score + sum(competing.upper_bound(d) for d in moved)
    return most if most < harmless else other.score + sum(competing.of(d) for d in moved)
