"""Odometry of one drone: its path over the last minutes, at any stamp."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from mav_perception.errors import InputError, LateError
from mav_perception.geometry import interpolate, roll_pitch_yaw, wrap_angle, yaw_rotation
from mav_perception.localization.odometry.jumps import MAX_BREAK, has_jumped
from mav_perception.localization.odometry.odometry_check import check_odometry
from mav_perception.localization.odometry.rows import (
    COLUMNS,
    DISTANCE_AND_TURN,
    POSITION,
    RAW,
    ROLL_PITCH,
    SUMS,
    YAW,
    OdometryRows,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import (
    NEVER_NS,
    FloatArray,
    IntArray,
    Notice,
    OdometrySample,
    nanoseconds,
    seconds,
)

RESTART_GAP = 1.0
"""A restarted VIO counts as so many seconds without odometry, besides the time that passed."""

MAX_STEP = 1.0
"""Seconds between two samples over which a path is taken to be even."""

PACE_TIME = 5.0
"""Seconds before a break that tell how fast the drone went on."""

MIN_WINDOW = 120.0
"""Seconds for which the path of a drone is kept at least."""


@dataclass(frozen=True)
class Insertion:
    """What a new sample did to a history.

    Attributes:
        changed_after_ns: the path is another one at stamps later than this.
        notice: a restarted VIO, or None.
    """

    changed_after_ns: int
    notice: Notice | None


class OdometryHistory:
    """VIO path of one drone over a time window, made continuous, with interpolation."""

    def __init__(self, window: float = MIN_WINDOW) -> None:
        """Start empty; the last `window` seconds at least are kept, twice that at most."""
        self._window_ns = nanoseconds(window)
        self._stamps: list[int] = []
        self._rows: list[FloatArray] = []
        self._jumps: set[int] = set()
        self.first_row: OdometryRows | None = None
        self.unbroken_since_ns = NEVER_NS

    @property
    def newest_ns(self) -> int | None:
        """Return the stamp of the newest sample, or None before the first."""
        return self._stamps[-1] if self._stamps else None

    def add(self, sample: OdometrySample, parameters: FilterParameters) -> Insertion:
        """Put a sample in its place; a late one is welcome inside `late_window`.

        A jump is a restarted VIO: the path goes on from where it was, the motion in between is
        unknown and counts as a gap.

        Raises:
            InputError: not finite, a duplicate, or too late. Nothing has changed then.
        """
        check_odometry(sample)
        index = bisect_left(self._stamps, sample.stamp_ns)
        self._check_stamp(sample.stamp_ns, index, parameters.late_window)
        roll, pitch, yaw = roll_pitch_yaw(sample.quaternion)
        row = np.zeros(COLUMNS)
        row[ROLL_PITCH] = roll, pitch
        row[RAW] = [*sample.position, yaw]
        if not self._stamps:
            self.unbroken_since_ns = sample.stamp_ns
        self._stamps.insert(index, sample.stamp_ns)
        self._rows.insert(index, row)
        notice = None
        for later in range(index, len(self._rows)):
            jump = self._continue_path(later, parameters)
            if jump and self._stamps[later] not in self._jumps:  # else it was told before
                self._jumps.add(self._stamps[later])
                notice = notice or jump
            elapsed = self._stamps[later] - self._stamps[later - 1] if later else 0
            if jump or elapsed > nanoseconds(MAX_BREAK):
                self.unbroken_since_ns = max(self.unbroken_since_ns, self._stamps[later])
        if index == 0:
            self.first_row = self._row(0)
        changed = self._stamps[index - 1] if index else NEVER_NS
        self._forget()
        return Insertion(changed, notice)

    def at(self, stamp_ns: int) -> OdometryRows:
        """Return the row at a stamp, interpolated if its neighbours are `MAX_STEP` apart at most.

        In a longer break and after the history it is the last row before, which has its own
        stamp, since the motion from there on is not known. Before the history it is the first row.
        """
        if not self._stamps:
            return OdometryRows.zeros()
        index = bisect_right(self._stamps, stamp_ns)
        if index == 0 or index == len(self._stamps):
            return self._row(0 if index == 0 else -1)
        before, after = self._stamps[index - 1], self._stamps[index]
        if after - before > nanoseconds(MAX_STEP):
            return self._row(index - 1)
        share = (stamp_ns - before) / (after - before)
        row = self._rows[index - 1]
        return OdometryRows(np.asarray(stamp_ns), row + share * (self._rows[index] - row))

    def path(self, stamps: IntArray) -> OdometryRows:
        """Return the K rows at many stamps; outside the history the drone stood still."""
        if not self._stamps:
            return OdometryRows(stamps, np.zeros((len(stamps), COLUMNS)))
        known = np.array(self._stamps, np.int64)
        return OdometryRows(stamps, interpolate(stamps, known, np.array(self._rows)))

    def _row(self, index: int) -> OdometryRows:
        return OdometryRows(np.asarray(self._stamps[index]), self._rows[index])

    def _check_stamp(self, stamp_ns: int, index: int, late_window: float) -> None:
        if index < len(self._stamps) and self._stamps[index] == stamp_ns:
            raise InputError(
                f'Odometry stamp {seconds(stamp_ns):.3f} s came before: a duplicate, ignored.'
            )
        late = seconds(self._stamps[-1] - stamp_ns) if self._stamps else 0.0
        if late > late_window:
            raise LateError(
                f'Odometry is {late:.2f} s older than the newest of this drone, more than '
                f'late_window {late_window} s: its clock jumped back, or '
                'messages queue up on the way.'
            )

    def _continue_path(self, index: int, parameters: FilterParameters) -> Notice | None:
        """Fill the path columns of a row from the row before it."""
        row = self._rows[index]
        if index == 0:
            row[:4] = row[RAW]
            row[SUMS] = 0.0
            return None
        last = self._rows[index - 1]
        elapsed = seconds(self._stamps[index] - self._stamps[index - 1])
        raw, raw_last = row[RAW], last[RAW]
        step = raw[:3] - raw_last[:3]
        turn = float(wrap_angle(raw[3] - raw_last[3]))
        # Views: the raw yaw and the roll are kept unwrapped, to interpolate them.
        raw[3] = raw_last[3] + turn
        roll, roll_last = row[ROLL_PITCH][0], last[ROLL_PITCH][0]
        row[ROLL_PITCH][0] = roll_last + float(wrap_angle(roll - roll_last))
        if self._has_jumped(index, parameters):
            row[:4] = last[:4]
            row[SUMS] = last[SUMS] + np.array([0.0, 0.0, 1.0, 1.0]) * (elapsed + RESTART_GAP)
            return Notice(
                'odometry_jump',
                f'Odometry jumped {np.linalg.norm(step):.1f} m and {np.degrees(turn):.0f} degrees '
                f'in {elapsed:.2f} s: the VIO restarted. Its path goes on from the last pose with '
                'added uncertainty.',
            )
        length = np.array([float(np.linalg.norm(step)), abs(turn)])
        if elapsed > MAX_BREAK:
            length = np.maximum(length, elapsed * self._pace(index - 1))
        row[POSITION] = last[POSITION] + yaw_rotation(last[YAW] - raw_last[3]) @ step
        row[YAW] = last[YAW] + turn
        row[SUMS] = last[SUMS] + np.array([*length, 0.0, 0.0])
        return None

    def _has_jumped(self, index: int, parameters: FilterParameters) -> bool:
        recent = slice(max(index - 2, 0), index + 1)
        times = [seconds(stamp - self._stamps[index]) for stamp in self._stamps[recent]]
        return has_jumped(self._rows[recent], times, parameters)

    def _pace(self, index: int) -> FloatArray:
        """Return metres and radians a second in the last seconds before a row.

        Over a break the drone has hardly flown straight, and its VIO drifts by what it flew.
        """
        first = bisect_left(self._stamps, self._stamps[index] - nanoseconds(PACE_TIME), hi=index)
        if first == index:
            return np.zeros(2)
        way = self._rows[index][DISTANCE_AND_TURN] - self._rows[first][DISTANCE_AND_TURN]
        return np.asarray(way / seconds(self._stamps[index] - self._stamps[first]), float)

    def _forget(self) -> None:
        if self._stamps[-1] - self._stamps[0] > 2 * self._window_ns:
            keep = bisect_right(self._stamps, self._stamps[-1] - self._window_ns)
            del self._stamps[:keep], self._rows[:keep]
            self._jumps = {stamp for stamp in self._jumps if stamp >= self._stamps[0]}
