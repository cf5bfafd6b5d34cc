"""Errors of the references: a drone that is found relative to others is off as they are.

All sightings by one known drone are off by the same error of its pose. Taken for noise of each
sighting it would average out; and whoever is found relative to the one found last would be surer
than that one is. So the pose that was found keeps its ties (a consider covariance: Schmidt 1966,
'Application of state-space methods to navigation problems').
"""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.initialization.pose_constraints import PointPairs
from mav_perception.localization.initialization.pose_refinement import (
    QUARTER_TURN,
    intensity_ratios,
)
from mav_perception.types import FloatArray


def dependence(pairs: PointPairs, gains: FloatArray, references: FloatArray) -> FloatArray:
    """Return W (4, 4N), the Jacobian of the pose that fits with respect to the references' poses.

    A pair x + R(psi) w_i = y_i with y_i at the reference r moves by B_i = [I, k x (y_i - p_r)]
    with its pose, and the fit by W_r = sum_{i of r} K_i B_i.

    Args:
        pairs: the pairs of points.
        gains: (n, 4, 3) K, see `fit_gains`.
        references: (N, 4) poses of the drones now.
    """
    from_reference = pairs.map_points - references[pairs.reference, :3]
    told = np.zeros((len(references), 4, 4))
    np.add.at(told, pairs.reference, gains @ moved_by_pose(from_reference))
    return np.concatenate(list(told), axis=1)


def fit_gains(pairs: PointPairs, pose: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the gains (n, 4, 3), by which an error of each pair moves the fit.

    K_i = C beta_i H_i' L_i, with H_i = [I, k x R(psi) w_i].

    Args:
        pairs: the pairs of points, of precision L and share beta.
        pose: (4,) the fit.
        covariance: (4, 4) C of it.
    """
    ratio = intensity_ratios(pairs, pose)
    share = pairs.weight * ratio / (1.0 + pairs.explained + ratio)
    turn = yaw_rotation(pose[3])
    precision = np.where(
        pairs.own[:, None, None], turn @ pairs.precision @ turn.T, pairs.precision
    )
    lever = pairs.body_points @ turn.T
    pull = np.swapaxes(moved_by_pose(lever), 1, 2) @ (share[:, None, None] * precision)
    return np.asarray(covariance @ pull, float)


def moved_by_pose(lever: FloatArray) -> FloatArray:
    """Return (n, 3, 4) by what a pose moves points that lie (n, 3) from it."""
    moved = np.zeros((len(lever), 3, 4))
    moved[:, :, :3] = np.eye(3)
    moved[:, :, 3] = lever @ QUARTER_TURN.T
    return moved
