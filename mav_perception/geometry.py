"""Rotations and 4-DoF poses (x, y, z, yaw) in gravity-aligned frames (REP-103)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from mav_perception.types import FloatArray, IntArray

# Camera looking along the body's x axis: optical z = body x, optical x = -body y (REP-103).
OPTICAL_FROM_BODY = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])

FARTHEST = 1e9
"""Metres. Coordinates beyond are refused: a VIO has diverged, or a file holds something else."""


def wrap_angle(angle: ArrayLike) -> FloatArray:
    """Wrap angles in radians to (-pi, pi]."""
    return -((-np.asarray(angle, float) + np.pi) % (2.0 * np.pi) - np.pi)


def yaw_rotation(yaw: ArrayLike) -> FloatArray:
    """Return rotation matrices about +z, (..., 3, 3) for yaw of shape (...), radians."""
    angle = np.asarray(yaw, float)
    rotation = np.zeros((*angle.shape, 3, 3))
    rotation[..., 0, 0] = rotation[..., 1, 1] = np.cos(angle)
    rotation[..., 1, 0] = np.sin(angle)
    rotation[..., 0, 1] = -rotation[..., 1, 0]
    rotation[..., 2, 2] = 1.0
    return rotation


def yaw_rotation_derivative(yaw: ArrayLike) -> FloatArray:
    """Return d(yaw_rotation)/d(yaw), shape (..., 3, 3)."""
    angle = np.asarray(yaw, float)
    derivative = np.zeros((*angle.shape, 3, 3))
    derivative[..., 0, 0] = derivative[..., 1, 1] = -np.sin(angle)
    derivative[..., 1, 0] = np.cos(angle)
    derivative[..., 0, 1] = -derivative[..., 1, 0]
    return derivative


def levelling_rotation(roll_pitch: ArrayLike) -> FloatArray:
    """Return the rotation (3, 3) from a body to the same body levelled: roll and pitch undone.

    Args:
        roll_pitch: (2,) attitude of the body, radians.
    """
    # Ry(pitch) Rx(roll) in closed form: scipy's Rotation takes ten times as long for a single one.
    (sr, sp), (cr, cp) = np.sin(roll_pitch), np.cos(roll_pitch)
    return np.array([[cp, sp * sr, sp * cr], [0.0, cr, -sr], [-sp, cp * sr, cp * cr]])


def is_rotation(quaternion: ArrayLike) -> bool:
    """Tell whether a quaternion (4,) of a message is one: filled in, finite, of length about 1."""
    return bool(0.9 < np.linalg.norm(quaternion) < 1.1)


def roll_pitch_yaw(quaternion: ArrayLike) -> FloatArray:
    """Split quaternions (..., 4) as x, y, z, w into roll, pitch, yaw (..., 3) in radians."""
    # Closed form: scipy's Rotation takes ten times as long for a single quaternion.
    x, y, z, w = np.moveaxis(np.asarray(quaternion, float), -1, 0)
    scale = 2.0 / (x * x + y * y + z * z + w * w)
    roll = np.arctan2(scale * (w * x + y * z), 1.0 - scale * (x * x + y * y))
    pitch = np.arcsin(np.clip(scale * (w * y - z * x), -1.0, 1.0))
    yaw = np.arctan2(scale * (w * z + x * y), 1.0 - scale * (y * y + z * z))
    return np.stack([roll, pitch, yaw], axis=-1)


def quaternion_from_euler(roll_pitch_yaw_angles: ArrayLike) -> FloatArray:
    """Build quaternions (..., 4) x, y, z, w from roll, pitch, yaw (..., 3) in radians."""
    angles = np.asarray(roll_pitch_yaw_angles, float)
    return Rotation.from_euler('ZYX', angles[..., ::-1]).as_quat()


def tangent_basis(direction: FloatArray) -> FloatArray:
    """Return (..., 2, 3) orthonormal rows that span the plane normal to unit vectors (..., 3)."""
    # The coordinate axis least aligned with the direction is never parallel to it.
    axis = np.argmin(np.abs(direction), axis=-1)[..., None, None]
    across = cross_matrix(direction)
    first = np.take_along_axis(across, axis, axis=-1)
    first = first / np.linalg.norm(first, axis=-2, keepdims=True)
    return np.swapaxes(np.concatenate([first, across @ first], axis=-1), -1, -2)


def cross_matrix(vector: FloatArray) -> FloatArray:
    """Return the matrices (..., 3, 3) of the cross product with vectors (..., 3) from the left."""
    matrix = np.zeros((*vector.shape, 3))
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    matrix[..., 2, 1], matrix[..., 0, 2], matrix[..., 1, 0] = x, y, z
    matrix[..., 1, 2], matrix[..., 2, 0], matrix[..., 0, 1] = -x, -y, -z
    return matrix


def sphere_log(base: FloatArray, direction: FloatArray, basis: FloatArray) -> FloatArray:
    """Map unit vectors to the tangent plane of the sphere at `base` (2-dof bearing residual).

    Args:
        base: (..., 3) unit vectors, the predicted bearings.
        direction: (..., 3) unit vectors, the measured bearings.
        basis: (..., 2, 3) from `tangent_basis(base)`.

    Returns:
        (..., 2) tangent coordinates whose norm is the angle between the two, radians.
    """
    tangent = np.einsum('...ij,...j->...i', basis, direction)
    sine = np.linalg.norm(tangent, axis=-1)
    angle = np.arctan2(sine, np.sum(base * direction, axis=-1))
    scale = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 1.0)
    return tangent * scale[..., None]


def interpolate(stamps: IntArray, known: IntArray, rows: FloatArray) -> FloatArray:
    """Interpolate rows (K, n), linearly in time, at M stamps; the ends are held.

    Integer nanoseconds since 1970 are not exact as floats: differences of them are.

    Args:
        stamps: (M,) nanoseconds.
        known: (K,) nanoseconds, ascending, of the rows.
        rows: (K, n).
    """
    asked, given = stamps - known[0], known - known[0]
    return np.column_stack([np.interp(asked, given, column) for column in rows.T])
