"""Errors of the paths: sightings at about the same time are off together, as odometry has drifted.

A pair tells of a pose now through the paths back to the time of its sighting, of the drone in
question and of the known one. Their drift is a random walk: pairs of the same time share it, and
those of an earlier time share what came since with them. Taken for noise of each pair, which is
good enough to find the pose, it would average out.
"""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones, KnownPaths
from mav_perception.localization.initialization.pose_constraints import PointPairs
from mav_perception.localization.initialization.pose_refinement import QUARTER_TURN
from mav_perception.types import FloatArray, IntArray


def path_covariance(
    pairs: PointPairs,
    gains: FloatArray,
    scans: StackedScans,
    drone: int,
    pose: FloatArray,
    known: KnownDrones,
    paths: KnownPaths,
) -> FloatArray:
    """Return the covariance (4, 4) of a fitted pose by the drift of all paths since.

    With K_i the gain of pair i, step k of a path, from scan k on, moves the fit by
    A_k = sum_{i <= k} K_i, and its yaw by b_k = sum_{i <= k} K_i (k x (q_i - c_k)) about where the
    drone was, c_k. Steps of variances Q_k and q_k add A_k Q_k A_k' + q_k b_k b_k'.

    Args:
        pairs: the pairs of points.
        gains: (n, 4, 3) K, see `fit_gains`.
        scans: scans and paths.
        drone: whose pose it is.
        pose: (4,) the fit.
        known: who is where now.
        paths: where those were.
    """
    turned = pairs.body_points @ yaw_rotation(pose[3]).T
    scan, drift = scans.scan[pairs.sighting], scans.drift
    way = pose[:3] + scans.back[drone] @ yaw_rotation(pose[3]).T
    total = _of_path(way, drift[drone], gains, pose[:3] + turned, scan)
    # The filter had known drones there then: they have drifted no more than both accounts differ.
    drift = np.minimum(drift, paths.variances + known.variances[:, None])
    for other in np.unique(pairs.reference).tolist():
        mine = pairs.reference == other
        way, points = paths.poses[other, :, :3], pairs.map_points[mine]
        total += _of_path(way, drift[other], gains[mine], points, scan[mine])
    return total


def _of_path(
    way: FloatArray, drift: FloatArray, gains: FloatArray, points: FloatArray, scan: IntArray
) -> FloatArray:
    """Return the covariance (4, 4) by the drift of one path.

    Args:
        way: (F, 3) where its drone was at the scans, in map.
        drift: (F, 4) variances by which it is off since then.
        gains: (n, 4, 3) of the pairs that hang on it.
        points: (n, 3) in map that it carries along.
        scan: (n,) of each pair.
    """
    steps = np.maximum(drift - np.append(drift[1:], np.zeros((1, 4)), axis=0), 0.0)
    moved, swung = np.zeros((len(way), 4, 3)), np.zeros((len(way), 4))
    np.add.at(moved, scan, gains)
    np.add.at(swung, scan, np.einsum('nij,nj->ni', gains, points @ QUARTER_TURN.T))
    moved, swung = moved.cumsum(axis=0), swung.cumsum(axis=0)
    swung = swung - np.einsum('kij,kj->ki', moved, way @ QUARTER_TURN.T)
    covariance = np.einsum('kia,ka,kja->ij', moved, steps[:, :3], moved)
    return covariance + np.einsum('ki,k,kj->ij', swung, steps[:, 3], swung)
