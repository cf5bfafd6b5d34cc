"""Mutual sightings: what two drones of unknown pose saw of each other, for any two modes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones
from mav_perception.localization.initialization.pose_constraints import pairs_for
from mav_perception.localization.initialization.pose_modes import PoseMode, log_likelihood_ratio
from mav_perception.localization.initialization.view_opportunities import opportunities_for
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray

DroneMode = tuple[int, int]
"""A drone and the index of one of its modes."""


@dataclass(frozen=True)
class MutualEvidence:
    """What two drones at two modes should have seen of each other.

    Attributes:
        intensity_ratio: (J,) intensity over clutter density at each buffered sighting.
        cost: expected number of such sightings.
    """

    intensity_ratio: FloatArray
    cost: float


class MutualSightings:
    """The mutual evidence of modes of drones, worked out when it is asked for.

    The uncertainty of a mode is taken for independent noise of each sighting. This understates the
    evidence for two right modes, whose error is common to all, and never favours wrong ones.
    """

    def __init__(
        self,
        scans: StackedScans,
        modes: dict[int, list[PoseMode]],
        parameters: FilterParameters,
    ) -> None:
        """Keep what it takes; nothing is worked out yet."""
        self._scans, self._modes, self._parameters = scans, modes, parameters
        self._ordered = cache(self._evidence)

    def between(self, one: DroneMode, other: DroneMode) -> MutualEvidence:
        """Return the evidence of two modes of two drones, in either order."""
        return self._ordered(*sorted((one, other)))

    def _evidence(self, one: DroneMode, other: DroneMode) -> MutualEvidence:
        """Take the first for known where it is, and ask for the second where that is."""
        first, second = (self._modes[drone][index] for drone, index in (one, other))
        variances = np.diag(first.covariance)
        known = KnownDrones.alone(one[0], first.pose, variances, len(self._scans.back))
        drift = self._scans.drift.copy()
        drift[other[0]] += np.diag(second.covariance)
        scans = replace(self._scans, drift=drift)
        paths = known.paths(scans)
        pairs = pairs_for(scans, known, paths, other[0], self._parameters)
        opportunities = opportunities_for(scans, known, paths, other[0])
        _, ratio, cost = log_likelihood_ratio(pairs, opportunities, second.pose, self._parameters)
        total = np.bincount(pairs.sighting, ratio, len(scans.scan)).astype(float)
        return MutualEvidence(total, cost)
