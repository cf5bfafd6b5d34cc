"""Odometry history of a drone, and lazy propagation of the joint state with its increments."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from mav_perception.errors import InputError
from mav_perception.geometry import (
    roll_pitch_yaw,
    wrap_angle,
    yaw_rotation,
    yaw_rotation_derivative,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import (
    FloatArray,
    Notice,
    OdometrySample,
    TeamState,
    nanoseconds,
    seconds,
)

# Columns of an odometry row. Sums grow along the path, so that noise adds up over any interval.
POSITION, YAW, ROLL_PITCH = slice(0, 3), 3, slice(4, 6)
DISTANCE, TURN, GAP, TIME = 6, 7, 8, 9
COLUMNS = 10


def check_odometry(sample: OdometrySample) -> None:
    """Raise InputError if a sample is not finite or its quaternion is not a rotation."""
    if not np.isfinite(sample.position).all():
        raise InputError('Odometry position is not finite: the VIO diverged, restart it.')
    norm = float(np.linalg.norm(sample.quaternion))
    if not 0.9 < norm < 1.1:
        raise InputError(
            f'Odometry orientation has norm {norm:.3f}, not 1: fill x, y, z, w of the quaternion.'
        )


class OdometryHistory:
    """VIO path of one drone over a time window, made continuous, with interpolation."""

    def __init__(self, parameters: FilterParameters, window: float = 120.0) -> None:
        """Start empty; samples older than `window` seconds are forgotten."""
        self._parameters = parameters
        self._window_ns = nanoseconds(window)
        self._stamps: list[int] = []
        self._rows: list[FloatArray] = []
        self._raw_last: FloatArray | None = None
        self._yaw_offset = 0.0  # from the frame of a restarted VIO to the first one

    @property
    def newest_ns(self) -> int | None:
        """Return the stamp of the newest sample, or None before the first."""
        return self._stamps[-1] if self._stamps else None

    def add(self, sample: OdometrySample) -> Notice | None:
        """Append a sample, newer than all before.

        A jump faster than `max_speed` is a restarted VIO: the path goes on from where it was, the
        motion in between is unknown and counts as a gap, one second longer than
        the time between the samples.

        Raises:
            InputError: not finite, or not newer than the last sample. Nothing has changed then.
        """
        check_odometry(sample)
        if self._stamps and sample.stamp_ns <= self._stamps[-1]:
            raise InputError(
                f'Odometry stamp {seconds(sample.stamp_ns):.3f} s is not newer than '
                f'{seconds(self._stamps[-1]):.3f} s: duplicate or out of order, it is ignored.'
            )
        roll, pitch, yaw = roll_pitch_yaw(sample.quaternion)
        raw = np.array([*sample.position, yaw])
        row = np.zeros(COLUMNS)
        row[ROLL_PITCH] = roll, pitch
        row[TIME] = seconds(sample.stamp_ns)
        notice = self._continue_path(row, raw) if self._stamps else None
        if not self._stamps:
            row[:4] = raw
        self._raw_last = raw
        self._stamps.append(sample.stamp_ns)
        self._rows.append(row)
        self._forget()
        return notice

    @property
    def first_row(self) -> FloatArray:
        """Return the oldest row that is remembered."""
        return self._rows[0]

    def at(self, stamp_ns: int) -> FloatArray:
        """Return the row at a stamp: interpolated inside the history, held outside.

        Where it is held, the GAP column goes on counting the seconds without odometry.
        """
        if not self._stamps:
            row = np.zeros(COLUMNS)
            row[TIME] = row[GAP] = seconds(stamp_ns)
            return row
        index = bisect_right(self._stamps, stamp_ns)
        if index == 0 or index == len(self._stamps):
            edge = 0 if index == 0 else -1
            row = self._rows[edge].copy()
            row[TIME] = seconds(stamp_ns)
            row[GAP] += seconds(stamp_ns - self._stamps[edge])
            return row
        before, after = self._stamps[index - 1], self._stamps[index]
        share = (stamp_ns - before) / (after - before)
        return self._rows[index - 1] + share * (self._rows[index] - self._rows[index - 1])

    def _continue_path(self, row: FloatArray, raw: FloatArray) -> Notice | None:
        assert self._raw_last is not None
        last = self._rows[-1]
        step = raw[:3] - self._raw_last[:3]
        turn = float(wrap_angle(raw[3] - self._raw_last[3]))
        length = float(np.linalg.norm(step))
        elapsed = row[TIME] - last[TIME]
        jumped = length > self._parameters.max_speed * max(elapsed, 0.02)
        if jumped:
            self._yaw_offset = float(last[YAW] - raw[3])
            row[:4] = last[:4]
            row[DISTANCE:TIME] = last[DISTANCE:TIME] + np.array([0.0, 0.0, elapsed + 1.0])
            return Notice(
                'odometry_jump',
                f'Odometry jumped {length:.1f} m in {elapsed:.2f} s: the VIO restarted. Its path '
                'goes on from the last pose with added uncertainty.',
            )
        row[POSITION] = last[POSITION] + yaw_rotation(self._yaw_offset) @ step
        row[YAW] = last[YAW] + turn
        row[DISTANCE] = last[DISTANCE] + length
        row[TURN] = last[TURN] + abs(turn)
        row[GAP] = last[GAP]
        return None

    def _forget(self) -> None:
        if self._stamps[-1] - self._stamps[0] > 2 * self._window_ns:
            keep = bisect_right(self._stamps, self._stamps[-1] - self._window_ns)
            del self._stamps[:keep], self._rows[:keep]


class TeamOdometry:
    """Odometry histories of all drones of a team, by index."""

    def __init__(self, count: int, parameters: FilterParameters) -> None:
        """Start with `count` empty histories."""
        self._histories = [OdometryHistory(parameters) for _ in range(count)]

    def add(self, drone: int, sample: OdometrySample) -> Notice | None:
        """Append a sample of one drone; see `OdometryHistory.add`."""
        return self._histories[drone].add(sample)

    @property
    def complete(self) -> bool:
        """Tell whether every drone has sent odometry."""
        return not self.silent()

    def silent(self) -> list[int]:
        """Return the drones that never sent odometry."""
        return [i for i, h in enumerate(self._histories) if h.newest_ns is None]

    def newest_ns(self, drone: int) -> int | None:
        """Return the stamp of the newest sample of one drone."""
        return self._histories[drone].newest_ns

    def first_rows(self) -> FloatArray:
        """Return the (N, COLUMNS) rows where each history begins."""
        return np.array([h.first_row for h in self._histories])

    def rows(self, stamp_ns: int) -> FloatArray:
        """Return the (N, COLUMNS) rows of all drones at a stamp."""
        return np.array([h.at(stamp_ns) for h in self._histories])


@dataclass(frozen=True)
class AnchoredState:
    """A team state and the odometry rows (N, COLUMNS) that it has consumed.

    Increments are taken from the anchors, not from the last stamp, so motion during an outage is
    used as soon as the odometry that tells of it arrives.
    """

    team: TeamState
    anchors: FloatArray


def propagate(
    state: AnchoredState, stamp_ns: int, rows: FloatArray, parameters: FilterParameters
) -> AnchoredState:
    """Move the joint state to a stamp with the VIO increments of every drone.

    x' = x + Rz(yaw - yaw_odom) (p_odom' - p_odom), yaw' = yaw + (yaw_odom' - yaw_odom), and
    P' = F P F^T + Q with Q proportional to distance, turn, time and gap. Works backwards too: then
    increments reverse and noise is still added.

    Args:
        state: joint state and its anchors.
        stamp_ns: time to move to.
        rows: (N, COLUMNS) odometry of all drones at that time.
        parameters: noise densities.
    """
    mean = state.team.mean
    delta = rows - state.anchors
    relative_yaw = mean[:, 3] - state.anchors[:, YAW]
    moved = mean.copy()
    moved[:, :3] += np.einsum('nij,nj->ni', yaw_rotation(relative_yaw), delta[:, POSITION])
    moved[:, 3] = wrap_angle(mean[:, 3] + delta[:, YAW])

    count = len(mean)
    lever = np.einsum('nij,nj->ni', yaw_rotation_derivative(relative_yaw), delta[:, POSITION])
    transition = np.eye(4 * count)
    first = 4 * np.arange(count)
    for axis in range(3):
        transition[first + axis, first + 3] = lever[:, axis]
    covariance = transition @ state.team.covariance @ transition.T
    covariance[np.diag_indices(4 * count)] += process_noise(delta, parameters).ravel()
    return AnchoredState(TeamState(stamp_ns, moved, covariance), rows)


def process_noise(delta: FloatArray, parameters: FilterParameters) -> FloatArray:
    """Return the (N, 4) variances that odometry increments `delta` (N, COLUMNS) add."""
    distance, turn, time = np.abs(delta[:, [DISTANCE, TURN, TIME]]).T
    # A gap that closes again takes nothing back and adds nothing.
    gap = np.maximum(delta[:, GAP], 0.0)
    position = (
        parameters.position_noise**2 * distance
        + parameters.hover_position_noise**2 * time
        + parameters.gap_position_noise**2 * gap
    )
    yaw = (
        parameters.yaw_noise**2 * distance
        + parameters.turn_noise**2 * turn
        + parameters.hover_yaw_noise**2 * time
        + parameters.gap_yaw_noise**2 * gap
    )
    vertical = position * parameters.vertical_noise_scale**2
    return np.stack([position, position, vertical, yaw], axis=1)
