"""What odometry is refused before it touches any state."""

from __future__ import annotations

import numpy as np

from mav_perception.errors import InputError
from mav_perception.geometry import FARTHEST, is_rotation
from mav_perception.types import OdometrySample


def check_odometry(sample: OdometrySample) -> None:
    """Raise InputError if a position is not finite or beyond 1e9 m, or an attitude no rotation."""
    if not (np.abs(sample.position) < FARTHEST).all():  # NaN is not either
        raise InputError(
            f'Odometry position {np.array2string(sample.position, precision=3)} is not finite or '
            f'beyond {FARTHEST:g} m: the VIO diverged, restart it.'
        )
    if not is_rotation(sample.quaternion):
        norm = np.linalg.norm(sample.quaternion)
        raise InputError(
            f'Odometry orientation has norm {norm:.3f}, not 1: fill x, y, z, w of the quaternion.'
        )
