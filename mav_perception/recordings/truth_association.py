"""Whom an anonymous sighting truly shows: for scores and baselines, never for the filter."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.types import FloatArray, IntArray

SAME = np.radians(4.0)
"""A sighting this near to the direction of a drone is a sighting of that drone."""


def identify(positions: FloatArray, targets: FloatArray, identities: IntArray) -> IntArray:
    """Return the drone that each of m sightings shows, -1 for a false one.

    Args:
        positions: (m, 3) sightings of one frame, optical frame.
        targets: (T, 3) true positions of the other drones, optical frame.
        identities: (T,) their drone indices.
    """
    labels = np.full(len(positions), -1, np.int64)
    if len(positions) and len(targets):
        seen = positions / np.linalg.norm(positions, axis=1)[:, None]
        true = targets / np.linalg.norm(targets, axis=1)[:, None]
        angle = np.arccos(np.clip(seen @ true.T, -1.0, 1.0))
        rows, columns = linear_sum_assignment(np.minimum(angle, 2.0 * SAME))
        near = angle[rows, columns] < SAME
        labels[rows[near]] = identities[columns[near]]
    return labels


def from_camera(
    targets: FloatArray, position: FloatArray, roll_pitch_yaw: FloatArray, mount: CameraMount
) -> FloatArray:
    """Return (T, 3) targets in the optical frame of a drone's camera.

    Args:
        targets: (T, 3) positions in map.
        position: (3,) of the drone in map.
        roll_pitch_yaw: (3,) its attitude in map, radians.
        mount: where its camera sits.
    """
    body = Rotation.from_euler('ZYX', roll_pitch_yaw[::-1])
    return (body.inv().apply(targets - position) - mount.translation) @ mount.rotation.T
