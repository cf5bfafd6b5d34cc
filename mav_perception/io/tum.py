"""Trajectories in the format of the TUM benchmark: a line `t x y z qx qy qz qw` a pose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.types import FloatArray, IntArray


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
        f'{stamp // 10**9}.{stamp % 10**9:09d} ' + ' '.join(f'{value:.9f}' for value in row)
        for stamp, row in zip(
            trajectory.stamps.tolist(),
            np.column_stack([trajectory.positions, trajectory.quaternions]).tolist(),
            strict=True,
        )
    ]
    path.write_text('\n'.join(lines) + '\n')


def load_tum(path: Path) -> Trajectory:
    """Read a trajectory; lines that begin with # are comments.

    Raises:
        DataError: the file is missing or no trajectory; the message names the line.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'Cannot read trajectory {path}: {error}') from error
    stamps, rows = [], []
    for number, line in enumerate(lines, 1):
        fields = line.split()
        if not fields or fields[0].startswith('#'):
            continue
        try:
            whole, _, fraction = fields[0].partition('.')
            exponent = 'e' in fields[0].lower()
            nanoseconds = (
                round(float(fields[0]) * 1e9)
                if exponent
                else int(whole) * 10**9 + int((fraction + '0' * 9)[:9])
            )
            row = [float(value) for value in fields[1:]]
        except ValueError:
            row = []
        if len(row) != 7 or not np.isfinite(row).all():
            raise DataError(f'{path}, line {number}: a pose is `t x y z qx qy qz qw`: {line!r}.')
        stamps.append(nanoseconds)
        rows.append(row)
    if not rows:
        raise DataError(f'{path} holds no pose.')
    order = np.argsort(stamps, kind='stable')
    table = np.array(rows)[order]
    lengths = np.linalg.norm(table[:, 3:], axis=1, keepdims=True)
    if (np.abs(lengths - 1.0) > 0.01).any():
        raise DataError(f'{path} holds a quaternion that is not of length 1: use x, y, z, w.')
    return Trajectory(np.array(stamps, np.int64)[order], table[:, :3], table[:, 3:] / lengths)
