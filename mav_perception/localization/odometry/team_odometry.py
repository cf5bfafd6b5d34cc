"""Odometry of all drones together, and the noise that its increments add."""

from __future__ import annotations

import numpy as np

from mav_perception.errors import InputError
from mav_perception.localization.odometry.history import (
    DISTANCE,
    GAP,
    LONGEST_BREAK,
    TIME,
    TURN,
    YAW_GAP,
    Insertion,
    OdometryHistory,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray, OdometrySample, Sightings, seconds


class TeamOdometry:
    """Odometry histories of all drones of a team, by index."""

    def __init__(self, count: int, parameters: FilterParameters) -> None:
        """Start with `count` empty histories."""
        self.histories = [OdometryHistory(parameters) for _ in range(count)]

    def add(self, drone: int, sample: OdometrySample) -> Insertion:
        """Add a sample of one drone; see `OdometryHistory.add`."""
        return self.histories[drone].add(sample)

    def silent(self) -> list[int]:
        """Return the drones that never sent odometry."""
        return [i for i, h in enumerate(self.histories) if h.newest_ns is None]

    def newest_ns(self, drone: int) -> int | None:
        """Return the stamp of the newest sample of one drone."""
        return self.histories[drone].newest_ns

    def silent_for(self, drone: int, stamp_ns: int) -> float:
        """Return the seconds since a drone's last odometry, infinity if there was none."""
        newest = self.histories[drone].newest_ns
        return np.inf if newest is None else seconds(stamp_ns - newest)

    def unknown_turns(self, stamp_ns: int, parameters: FilterParameters) -> FloatArray:
        """Return the (N,) variances of what each drone may have turned since its odometry."""
        silent = [
            0.0 if history.newest_ns is None else seconds(stamp_ns - history.newest_ns)
            for history in self.histories
        ]
        variance = parameters.gap_yaw_noise**2 * np.maximum(silent, 0.0)
        return np.minimum(variance, np.pi**2 / 3.0)  # that of any direction

    def check_current(self, drone: int, sightings: Sightings) -> None:
        """Raise InputError if the observer's odometry does not tell its attitude at the frame."""
        silent = self.silent_for(drone, sightings.stamp_ns)
        if silent > LONGEST_BREAK:
            raise InputError(
                f'The odometry of {sightings.observer} ended {silent:.1f} s before its frame at '
                f'{seconds(sightings.stamp_ns):.3f} s: without an attitude it is not used.'
            )

    def rows(self, stamp_ns: int) -> FloatArray:
        """Return the (N, COLUMNS) rows of all drones at a stamp."""
        return np.array([h.at(stamp_ns) for h in self.histories])


def process_noise(delta: FloatArray, parameters: FilterParameters) -> FloatArray:
    """Return the (N, 4) variances that odometry increments `delta` (N, COLUMNS) add."""
    distance, turn, time = np.abs(delta[:, [DISTANCE, TURN, TIME]]).T
    # A gap that closes again takes nothing back and adds nothing.
    gap, yaw_gap = np.maximum(delta[:, [GAP, YAW_GAP]], 0.0).T
    position = (
        parameters.position_noise**2 * distance
        + parameters.hover_position_noise**2 * time
        + parameters.gap_position_noise**2 * gap
    )
    yaw = (
        parameters.yaw_noise**2 * distance
        + parameters.turn_noise**2 * turn
        + parameters.hover_yaw_noise**2 * time
        + parameters.gap_yaw_noise**2 * yaw_gap
    )
    vertical = position * parameters.vertical_noise_scale**2
    return np.stack([position, position, vertical, yaw], axis=1)
