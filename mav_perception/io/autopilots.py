"""Poses of autopilots that think in NED and FRD, as PX4 and ArduPilot, in ROS's ENU and FLU."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.types import FloatArray

ENU_FROM_NED = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
FLU_FROM_FRD = np.diag([1.0, -1.0, -1.0])


def enu_flu_from_ned_frd(
    position: FloatArray, quaternion: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Convert a pose from north-east-down to east-north-up (REP-103).

    R_enu_flu = T_enu_ned R_ned_frd T_frd_flu, each T its own inverse.

    Args:
        position: (3,) metres in NED.
        quaternion: (4,) w, x, y, z, as PX4 orders it: the rotation from the body (forward, right,
            down) to NED.

    Returns:
        Position (3,) in ENU, and the quaternion x, y, z, w, as ROS orders it, of the rotation from
        the body (forward, left, up) to ENU.
    """
    rotation = Rotation.from_quat(np.roll(quaternion, -1)).as_matrix()
    turned = Rotation.from_matrix(ENU_FROM_NED @ rotation @ FLU_FROM_FRD)
    return ENU_FROM_NED @ np.asarray(position, float), turned.as_quat()
