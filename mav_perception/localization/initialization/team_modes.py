"""Team modes: where every drone of unknown pose, and every static object, may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones, KnownPaths
from mav_perception.localization.initialization.mutual_sightings import MutualSightings
from mav_perception.localization.initialization.pose_constraints import pairs_for
from mav_perception.localization.initialization.pose_modes import (
    PoseEvidence,
    PoseMode,
    find_modes,
    known_intensity,
    mode_at,
)
from mav_perception.localization.initialization.start_prior import StartPrior
from mav_perception.localization.initialization.view_opportunities import opportunities_for
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray

STATIC_OBJECT = -1
"""Key of the modes of static objects."""

MODES_KEPT = 10
"""Modes of a drone by its evidence alone."""

RIVALS_KEPT = 3
"""Modes of a drone that are added if the others are where a joint hypothesis has them."""


@dataclass(frozen=True)
class TeamModes:
    """All that joint hypotheses are made of.

    Attributes:
        modes: of every drone, and of static objects under the key -1: the likeliest by itself
            first, then rivals.
        explained: (J,) intensity of known drones and objects at each buffered sighting, over the
            clutter density.
        weight: (J,) by which each sighting counts.
        mutual: what drones at two modes saw of each other; None leaves it out.
    """

    modes: dict[int, list[PoseMode]]
    explained: FloatArray
    weight: FloatArray
    mutual: MutualSightings | None = None

    def evidence(self, key: int) -> float:
        """Return the evidence of the likeliest mode of a drone, or of static objects."""
        return max((mode.evidence for mode in self.modes[key]), default=-np.inf)


@dataclass(frozen=True)
class ModeFinder:
    """Finds where drones may be by what those of known pose saw of them, or they of those.

    Attributes:
        scans: scans and paths.
        known: who is where.
        parameters: of the filter.
        priors: of drones whose start was told, but vaguely.
        both_ways: use what the drones saw themselves too, not just who saw them.
    """

    scans: StackedScans
    known: KnownDrones
    parameters: FilterParameters
    priors: Mapping[int, StartPrior] = field(default_factory=dict)
    both_ways: bool = True

    def team_modes(self, drones: list[int]) -> TeamModes:
        """Return the modes of drones and of static objects, and what is explained already."""
        modes = {drone: find_modes(self.evidence(drone))[:MODES_KEPT] for drone in drones}
        static = self.evidence(STATIC_OBJECT)
        modes[STATIC_OBJECT] = find_modes(static)
        weight = self.scans.weight[self.scans.scan]
        team = TeamModes(modes, known_intensity(static.pairs, len(self.scans.scan)), weight)
        return self._with_mutual(team) if self.both_ways else team

    def with_rivals(self, team: TeamModes, chosen: Mapping[int, int]) -> TeamModes:
        """Return more modes: those that stand out if a joint hypothesis is right of the others.

        Of a drone that the known ones hardly see, the true mode is far down by its own evidence,
        while a false one that explains what the drone itself saw stands alone. Whoever is put in
        must beat what the others make likely too. All are weighed by the known drones.

        Args:
            team: the modes so far; it is returned as it is if there are no others.
            chosen: mode of each drone that the hypothesis holds.
        """
        modes = dict(team.modes)
        for drone in team.modes.keys() - {STATIC_OBJECT}:
            known, evidence = self.known, self.evidence(drone)
            for other in chosen.keys() & team.modes.keys() - {drone, STATIC_OBJECT}:
                mode = team.modes[other][chosen[other]]
                known = known.with_drone(other, mode.pose, np.diag(mode.covariance))
            found = find_modes(replace(self, known=known).evidence(drone))[:RIVALS_KEPT]
            modes[drone] = team.modes[drone] + [
                mode_at(evidence, mode.pose, mode.covariance)
                for mode in found
                if mode.evidence > 0.0 and not any(map(mode.same_as, team.modes[drone]))
            ]
        grown = any(len(modes[key]) > len(team.modes[key]) for key in modes)
        return self._with_mutual(replace(team, modes=modes)) if grown else team

    @cached_property
    def paths(self) -> KnownPaths:
        """Where those were that are known."""
        return self.known.paths(self.scans)

    def evidence(self, key: int) -> PoseEvidence:
        """Return what is known of a drone, or of static objects."""
        data = self.scans, self.known, self.paths, key
        return PoseEvidence(
            pairs=pairs_for(*data, self.parameters, self.both_ways),
            opportunities=opportunities_for(*data, self.both_ways),
            sightings=len(self.scans.scan),
            parameters=self.parameters,
            static=key == STATIC_OBJECT,
            prior=self.priors.get(key),
        )

    def _with_mutual(self, team: TeamModes) -> TeamModes:
        """Return the modes with what drones at two of them saw of each other."""
        return replace(team, mutual=MutualSightings(self.scans, team.modes, self.parameters))
