"""Odometry of all drones together."""

from __future__ import annotations

import numpy as np

from mav_perception.errors import InputError
from mav_perception.localization.odometry.history import MIN_WINDOW, Insertion, OdometryHistory
from mav_perception.localization.odometry.jumps import MAX_BREAK
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import FilterParameters, ProcessNoiseParameters
from mav_perception.types import BoolArray, FloatArray, OdometrySample, Sightings, seconds


class TeamOdometry:
    """Odometry histories of all drones of a team, by index."""

    def __init__(self, count: int, window: float = MIN_WINDOW) -> None:
        """Start with `count` empty histories, which reach back `window` seconds or more."""
        window = max(window, MIN_WINDOW)
        self.histories = [OdometryHistory(window) for _ in range(count)]

    def add(self, drone: int, sample: OdometrySample, parameters: FilterParameters) -> Insertion:
        """Add a sample of one drone; see `OdometryHistory.add`."""
        return self.histories[drone].add(sample, parameters)

    def newest_ns(self, drone: int) -> int | None:
        """Return the stamp of the newest sample of one drone."""
        return self.histories[drone].newest_ns

    def silent_for(self, drone: int, stamp_ns: int) -> float:
        """Return for how many seconds nothing tells where a drone goes, infinity before it spoke.

        Up to a stamp that is after its last odometry, or in a break of it.
        """
        history = self.histories[drone]
        if history.newest_ns is None:
            return np.inf
        return max(seconds(stamp_ns - int(history.at(stamp_ns).stamps)), 0.0)

    def silent(self, stamp_ns: int, limit: float) -> BoolArray:
        """Return (N,) of whom nothing has told for more than `limit` seconds."""
        count = len(self.histories)
        return np.array([self.silent_for(drone, stamp_ns) > limit for drone in range(count)])

    def unknown_turns(self, stamp_ns: int, parameters: ProcessNoiseParameters) -> FloatArray:
        """Return the (N,) variances of what each drone may have turned since its odometry."""
        silent = np.array([self.silent_for(d, stamp_ns) for d in range(len(self.histories))])
        variance = parameters.gap_yaw_noise**2 * np.where(np.isinf(silent), 0.0, silent)
        return np.minimum(variance, np.pi**2 / 3.0)  # that of any direction

    def check_current(self, drone: int, sightings: Sightings) -> None:
        """Raise InputError if the observer's odometry does not tell its attitude at the frame."""
        silent = self.silent_for(drone, sightings.stamp_ns)
        if silent > MAX_BREAK:
            raise InputError(
                f'The odometry of {sightings.observer} ended {silent:.1f} s before its frame at '
                f'{seconds(sightings.stamp_ns):.3f} s: without an attitude it is not used. '
                f'Odometry has to come every {MAX_BREAK} s or sooner.'
            )

    def rows(self, stamp_ns: int) -> OdometryRows:
        """Return the N rows of all drones at a stamp, or their last ones before it."""
        return OdometryRows.stacked([h.at(stamp_ns) for h in self.histories])
