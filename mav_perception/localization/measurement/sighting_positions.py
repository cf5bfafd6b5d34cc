"""The inverse of the measurement: where a sighting is, seen from the observer's pose."""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import (
    levelling_rotation,
    tangent_basis,
    yaw_rotation,
    yaw_rotation_derivative,
)
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.types import FloatArray, IntArray


def sighting_positions(
    pose: FloatArray, scan: CameraScan, index: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where sightings are in the frame of the observer's pose, with Jacobians.

    p_j = p_a + Rz(yaw_a) L (C' z_j + t), with L the levelling rotation, C and t the mount. The
    sighting's axes are two directions across the line of sight, in radians, and log range; any
    two will do, since the noise is the same in both.

    Args:
        pose: (..., 4) x, y, z, yaw of the observer.
        scan: the camera scan.
        index: (M,) which of its sightings.

    Returns:
        positions (..., M, 3), Jacobians (..., M, 3, 4) by the observer and (..., M, 3, 3) by the
        sighting.
    """
    level = levelling_rotation(scan.roll_pitch)
    optical = scan.sightings.positions[index]
    levelled = (optical @ scan.mount.rotation + scan.mount.translation) @ level.T
    yaw = pose[..., 3]
    by_observer = np.zeros((*yaw.shape, len(index), 3, 4))
    by_observer[..., :3] = np.eye(3)
    by_observer[..., 3] = levelled @ np.swapaxes(yaw_rotation_derivative(yaw), -1, -2)
    along = optical / np.linalg.norm(optical, axis=1)[:, None]
    axes = np.concatenate([tangent_basis(along), along[:, None]], axis=1).transpose(0, 2, 1)
    axes *= np.linalg.norm(optical, axis=1)[:, None, None]
    to_world = yaw_rotation(yaw) @ level @ scan.mount.rotation.T
    positions = pose[..., None, :3] + levelled @ np.swapaxes(yaw_rotation(yaw), -1, -2)
    return positions, by_observer, to_world[..., None, :, :] @ axes


def sighting_in_map(
    means: FloatArray, covariances: FloatArray, scan: CameraScan, sighting: int, noise: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where a sighting is in map under each hypothesis, tied to its observer.

    Args:
        means: (K, n) x.
        covariances: (K, n, n) P.
        scan: the camera scan.
        sighting: which of its sightings.
        noise: (3, 3) R of it.

    Returns:
        positions (K, 3), their covariances with the state (K, 3, n) and their own (K, 3, 3).
    """
    own = slice(4 * scan.observer, 4 * scan.observer + 4)
    points, by_observer, by_sighting = (
        array[:, 0] for array in sighting_positions(means[:, own], scan, np.array([sighting]))
    )
    cross = by_observer @ covariances[:, own]
    covariance = cross[..., own] @ np.swapaxes(by_observer, 1, 2)
    covariance += by_sighting @ noise @ np.swapaxes(by_sighting, 1, 2)
    return points, cross, (covariance + np.swapaxes(covariance, 1, 2)) / 2.0
