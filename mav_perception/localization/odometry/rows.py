"""Odometry rows: the pose of a VIO at an instant as a continuous path, with sums along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mav_perception.types import NANOSECONDS, BoolArray, FloatArray, IntArray

# Columns. POSITION and YAW are a continuous path, whatever the VIO did; sums grow along it, so
# that noise adds up over any interval; RAW is the pose as the VIO had it.
POSITION, YAW, ROLL_PITCH = slice(0, 3), 3, slice(4, 6)
DISTANCE, TURN, GAP, YAW_GAP = 6, 7, 8, 9
DISTANCE_AND_TURN, SUMS, RAW, COLUMNS = slice(6, 8), slice(6, 10), slice(10, 14), 14


@dataclass(frozen=True)
class OdometryRows:
    """One row or many; every property has the leading shape of `stamps`.

    Rows are values like numbers: `later - earlier` holds the increments between two of them.

    Attributes:
        stamps: (...) integer nanoseconds: a float of seconds since 1970 knows no microseconds.
        values: (..., 14) the columns.
    """

    stamps: IntArray
    values: FloatArray

    @classmethod
    def zeros(cls, *shape: int) -> OdometryRows:
        """Return rows of a VIO at rest in its origin at time 0."""
        return cls(np.zeros(shape, np.int64), np.zeros((*shape, COLUMNS)))

    @classmethod
    def stacked(cls, rows: Sequence[OdometryRows]) -> OdometryRows:
        """Return single rows as an array of rows."""
        stamps = np.array([row.stamps for row in rows], np.int64)
        return cls(stamps, np.array([row.values for row in rows]).reshape(-1, COLUMNS))

    def __len__(self) -> int:
        """Return the length of the leading axis."""
        return len(self.values)

    def __getitem__(self, index: Any) -> OdometryRows:
        """Return some of the rows."""
        return OdometryRows(self.stamps[index], self.values[index])

    def __sub__(self, earlier: OdometryRows) -> OdometryRows:
        """Return the increments from earlier rows to these."""
        return OdometryRows(self.stamps - earlier.stamps, self.values - earlier.values)

    @property
    def elapsed(self) -> FloatArray:
        """Return (...) seconds, of increments."""
        return np.asarray(self.stamps / NANOSECONDS, float)

    @property
    def position(self) -> FloatArray:
        """Return (..., 3) of the continuous path, metres."""
        return self.values[..., POSITION]

    @property
    def yaw(self) -> FloatArray:
        """Return (...) of the continuous path, radians, unwrapped."""
        return self.values[..., YAW]

    @property
    def pose(self) -> FloatArray:
        """Return (..., 4) x, y, z, yaw of the continuous path."""
        return self.values[..., :4]

    @property
    def roll_pitch(self) -> FloatArray:
        """Return (..., 2) attitude, radians."""
        return self.values[..., ROLL_PITCH]

    @property
    def distance(self) -> FloatArray:
        """Return (...) metres flown."""
        return self.values[..., DISTANCE]

    @property
    def turn(self) -> FloatArray:
        """Return (...) radians turned, either way."""
        return self.values[..., TURN]

    @property
    def gap(self) -> FloatArray:
        """Return (...) seconds for which the motion is unknown."""
        return self.values[..., GAP]

    @property
    def yaw_gap(self) -> FloatArray:
        """Return (...) seconds for which the turn is unknown."""
        return self.values[..., YAW_GAP]

    @property
    def raw(self) -> FloatArray:
        """Return (..., 4) x, y, z, yaw as the VIO had them, its restarts included."""
        return self.values[..., RAW]

    def only(self, moving: BoolArray) -> OdometryRows:
        """Return N increments with those that are not moving (N,) set to nothing."""
        values = np.where(moving[:, None], self.values, 0.0)
        return OdometryRows(np.where(moving, self.stamps, 0), values)

    def restarted(self, which: BoolArray, extra_gap: float) -> OdometryRows:
        """Return N increments, those of some drones replaced by a gap: all motion is unknown.

        Args:
            which: (N,) whose VIO began anew; what it told after that is left out too.
            extra_gap: seconds that this took, besides those that passed.
        """
        values = np.where(which[:, None], 0.0, self.values)
        unknown = np.where(which, self.elapsed + extra_gap, 0.0)
        values[..., GAP] += unknown
        values[..., YAW_GAP] += unknown
        return OdometryRows(self.stamps, values)

    def with_row(self, index: int, row: OdometryRows) -> OdometryRows:
        """Return the rows with one of them replaced."""
        stamps, values = self.stamps.copy(), self.values.copy()
        stamps[index], values[index] = row.stamps, row.values
        return OdometryRows(stamps, values)

    def at_origin(self) -> OdometryRows:
        """Return the row that the odometry had at its origin, if this is its first one.

        The drone has flown at least the straight line from there.
        """
        values = self.values.copy()
        values[POSITION], values[YAW] = 0.0, 0.0
        values[RAW] = 0.0
        values[DISTANCE] -= float(np.linalg.norm(self.position))
        values[TURN] -= abs(float(self.yaw))
        return OdometryRows(self.stamps, values)
