"""Team modes: where every drone of unknown pose, and every static object, may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones
from mav_perception.localization.initialization.mutual_sightings import MutualSightings
from mav_perception.localization.initialization.pose_constraints import pairs_for
from mav_perception.localization.initialization.pose_modes import (
    PoseMode,
    find_modes,
    known_intensity,
)
from mav_perception.localization.initialization.view_opportunities import opportunities_for
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray

STATIC_OBJECT = -1
"""Key of the modes of static objects."""


@dataclass(frozen=True)
class TeamModes:
    """All that joint hypotheses are made of.

    Attributes:
        modes: of every drone, and of static objects under the key -1, the likeliest first.
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


def find_team_modes(
    scans: StackedScans, known: KnownDrones, drones: list[int], parameters: FilterParameters
) -> TeamModes:
    """Find the modes of drones and of static objects, and what is explained already.

    Args:
        scans: scans and paths.
        known: who is where.
        drones: whose poses are asked.
        parameters: of the filter.
    """
    modes, explained = _modes(scans, known, drones, parameters, both_ways=True)
    mutual = MutualSightings(scans, modes, parameters)
    return TeamModes(modes, explained, scans.weight[scans.scan], mutual)


def modes_seen_from(
    scans: StackedScans, known: KnownDrones, drones: list[int], parameters: FilterParameters
) -> TeamModes:
    """Find the modes as `find_team_modes` does, but by what the known drones saw alone."""
    modes, explained = _modes(scans, known, drones, parameters, both_ways=False)
    return TeamModes(modes, explained, scans.weight[scans.scan])


def _modes(
    scans: StackedScans,
    known: KnownDrones,
    drones: list[int],
    parameters: FilterParameters,
    both_ways: bool,
) -> tuple[dict[int, list[PoseMode]], FloatArray]:
    modes, size = {}, len(scans.scan)
    explained, paths = np.zeros(size), known.paths(scans)
    for drone in [*drones, STATIC_OBJECT]:
        pairs = pairs_for(scans, known, paths, drone, parameters, both_ways)
        opportunities = opportunities_for(scans, known, paths, drone, both_ways)
        static = drone == STATIC_OBJECT
        modes[drone] = find_modes(pairs, opportunities, size, parameters, static)
        if static:
            explained = known_intensity(pairs, size)
    return modes, explained
