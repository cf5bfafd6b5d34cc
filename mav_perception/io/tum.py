"""Trajectories as text: the TUM benchmark's `t x y z qx qy qz qw`, and the CSV of EuRoC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.geometry import FARTHEST
from mav_perception.io.files import write_text
from mav_perception.types import FloatArray, IntArray

NANOSECOND_STAMPS, NANOSECOND_STEP = 10**14, 10**5
"""Whole stamps beyond the one, or so far apart, are nanoseconds: no flight has a pose a day."""

KITTI_COLUMNS = 12

HEADER = re.compile('(?!nan|inf)[a-z]', re.IGNORECASE)


@dataclass(frozen=True)
class Trajectory:
    """Poses of one body over time.

    Attributes:
        stamps: (K,) nanoseconds, ascending.
        positions: (K, 3) metres.
        quaternions: (K, 4) x, y, z, w.
    """

    stamps: IntArray
    positions: FloatArray
    quaternions: FloatArray

    @classmethod
    def level(cls, stamps: IntArray, poses: FloatArray) -> Trajectory:
        """Make one of 4-DoF poses (K, 4): x, y, z, yaw."""
        half = poses[:, 3] / 2.0
        nothing = np.zeros(len(poses))
        turned = np.column_stack([nothing, nothing, np.sin(half), np.cos(half)])
        return cls(stamps, poses[:, :3], turned)


def save_tum(trajectory: Trajectory, path: Path) -> None:
    """Write a trajectory; stamps keep their nanoseconds."""
    lines = [
        f'{Decimal(stamp).scaleb(-9):.9f} ' + ' '.join(f'{value:.9f}' for value in row)
        for stamp, row in zip(
            trajectory.stamps.tolist(),
            np.column_stack([trajectory.positions, trajectory.quaternions]).tolist(),
            strict=True,
        )
    ]
    write_text(path, '\n'.join(lines) + '\n')


def load_tum(path: Path) -> Trajectory:
    """Read a trajectory, of seconds or whole nanoseconds, negative ones too.

    Lines that begin with # are comments; a first line of words is a header. Columns are separated
    by spaces, or by commas as in the ground truth of EuRoC, whose quaternion is w, x, y, z.

    Raises:
        DataError: the file is missing or no trajectory; the message names the line.
    """
    try:
        lines = path.read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'Cannot read trajectory {path}: {error}') from error
    stamps, rows = [], []
    for number, fields in _rows(lines):
        stamps.append(_stamp(fields[0], path, number))
        rows.append(_pose(fields, path, number))
    if not rows:
        raise DataError(f'{path} holds no pose.')
    unit = 0 if _are_nanoseconds(stamps) else 9
    scaled = [int(stamp.scaleb(unit).to_integral_value()) for stamp in stamps]
    if max(map(abs, scaled)) >= 2**63:
        raise DataError(f'{path} has stamps beyond all times: seconds or nanoseconds are wanted.')
    nanoseconds = np.array(scaled, np.int64)
    order = np.argsort(nanoseconds, kind='stable')
    table = np.array(rows)[order]
    if _scalar_first(lines, unit):
        table = table[:, [0, 1, 2, 4, 5, 6, 3]]
    lengths = np.linalg.norm(table[:, 3:], axis=1, keepdims=True)
    if (np.abs(lengths - 1.0) > 0.01).any():
        raise DataError(f'{path} holds a quaternion that is not of length 1: use x, y, z, w.')
    return Trajectory(nanoseconds[order], table[:, :3], table[:, 3:] / lengths)


def _are_nanoseconds(stamps: list[Decimal]) -> bool:
    if any(stamp != stamp.to_integral_value() for stamp in stamps):
        return False
    steps = sorted(abs(b - a) for a, b in pairwise(stamps))
    apart = bool(steps) and steps[len(steps) // 2] >= NANOSECOND_STEP
    return apart or max(map(abs, stamps)) > NANOSECOND_STAMPS


def _rows(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and fields of every pose."""
    begun = False
    for number, line in enumerate(lines, 1):
        fields = [field for field in re.split(r'[,;\s]+', line.strip()) if field]
        if not fields or fields[0].startswith('#'):
            continue
        if not begun and HEADER.match(fields[0]):
            continue
        begun = True
        yield number, fields


def _stamp(text: str, path: Path, number: int) -> Decimal:
    try:
        stamp = Decimal(text)
    except InvalidOperation:
        stamp = Decimal('NaN')
    if not stamp.is_finite() or abs(stamp) > 10**19:
        raise DataError(f'{path}, line {number}: {text!r} is no time.')
    return stamp


def _pose(fields: list[str], path: Path, number: int) -> list[float]:
    """Return the seven numbers after the stamp; EuRoC has more behind them."""
    if len(fields) == KITTI_COLUMNS:
        raise DataError(
            f'{path}, line {number} has {KITTI_COLUMNS} numbers: that is KITTI, which knows no '
            'time. Give a trajectory with stamps, `t x y z qx qy qz qw`.'
        )
    try:
        row = [float(field) for field in fields[1:8]]
    except ValueError:
        row = []
    if len(row) != 7 or len(fields) not in (8, 17) or not (np.abs(row) < FARTHEST).all():
        raise DataError(
            f'{path}, line {number}: a pose is `t x y z qx qy qz qw`: {" ".join(fields)!r}.'
        )
    return row


def _scalar_first(lines: list[str], unit: int) -> bool:
    """Tell whether quaternions begin with w: a header says so, or it is a CSV in nanoseconds."""
    commas = False
    for line in lines:
        columns = [c for c in re.split(r'[,;\s]+', re.sub(r'\[[^]]*\]', '', line.lower())) if c]
        if columns and columns[0] == '#':
            columns = columns[1:]
        last = [column[-1] for column in columns[4:8]]
        if sorted(last) == ['w', 'x', 'y', 'z']:
            return last[0] == 'w'
        if columns and re.match(r'[-+.\d]', columns[0]):
            commas = ',' in line
            break
    return unit == 0 and commas
