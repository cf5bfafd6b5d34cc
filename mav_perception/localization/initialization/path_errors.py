"""Errors of the paths: sightings at about the same time are off together, as odometry has drifted.

A pair tells of a pose now through the paths back to the time of its sighting, of the drone in
question and of the known one. Their drift is a random walk: pairs of the same time share it, and
those of an earlier time share what came since with them. The search takes drift for independent
noise of each pair, which averages out; this module adds the covariance of what is shared.
"""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones, KnownPaths
from mav_perception.localization.initialization.pose_constraints import PointPairs
from mav_perception.localization.initialization.pose_refinement import QUARTER_TURN
from mav_perception.localization.initialization.reference_errors import moved_by_pose
from mav_perception.types import BoolArray, FloatArray, IntArray


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

    A path errs in every step, from scan k to the next, by Q_k in place and yaw. With K_i the gain
    of pair i and c_k where the drone was, that moves the fit by

        M_k = sum_i K_i [I, e_z x (y_i - c_k)]    of its pairs up to scan k,

    and adds M_k Q_k M_k'. Where the filter followed a reference, it had its poses then and now by
    themselves: those differ by no more than both are uncertain.

    Args:
        pairs: the pairs of points.
        gains: (n, 4, 3) K, see `fit_gains`.
        scans: scans and paths, by time.
        drone: whose pose it is.
        pose: (4,) the fit, metres and radians in map.
        known: who is where now.
        paths: where those were.
    """
    turn, scan = yaw_rotation(pose[3]), scans.scan[pairs.sighting]
    own_way = pose[:3] + scans.back[drone] @ turn.T
    seen_there = pose[:3] + pairs.body_points @ turn.T
    total = _of_path(own_way, scans.drift[drone], gains, seen_there, scan)
    for other in np.unique(pairs.reference).tolist():
        followed = paths.tracked[other, scan]
        led = np.flatnonzero((pairs.reference == other) & ~followed)
        way = paths.poses[other, :, :3]
        total += _of_path(way, scans.drift[other], gains[led], pairs.map_points[led], scan[led])
        held = np.flatnonzero((pairs.reference == other) & followed)
        apart = np.minimum(scans.drift[other], paths.variances[other] + known.variances[other])
        from_there = pairs.map_points[held] - way[scan[held]]
        total += _of_path(
            np.zeros_like(way), _never_less(apart, paths.tracked[other]), gains[held], from_there,
            scan[held],
        )  # fmt: skip
    return total


def _never_less(variances: FloatArray, some: BoolArray) -> FloatArray:
    """Return (F, 4) variances of some scans, and before them no less than after."""
    of_some = np.where(some[:, None], variances, 0.0)
    return np.maximum.accumulate(of_some[::-1])[::-1]


def _of_path(
    way: FloatArray, drift: FloatArray, gains: FloatArray, points: FloatArray, scan: IntArray
) -> FloatArray:
    """Return the covariance (4, 4) by the drift of one path.

    Args:
        way: (F, 3) where its drone was at the scans, in map, by time.
        drift: (F, 4) variances of x, y, z, yaw by which it is off since then, m^2 and rad^2.
        gains: (n, 4, 3) of the pairs that hang on it.
        points: (n, 3) in map that it carries along.
        scan: (n,) of each pair.
    """
    steps = np.maximum(-np.diff(drift, axis=0, append=np.zeros((1, 4))), 0.0)
    moved = np.zeros((len(way), 4, 4))
    np.add.at(moved, scan, gains @ moved_by_pose(points))
    moved = moved.cumsum(axis=0)
    moved[:, :, 3] -= np.einsum('kij,kj->ki', moved[:, :, :3], way @ QUARTER_TURN.T)
    return np.einsum('kia,ka,kja->ij', moved, steps, moved)
