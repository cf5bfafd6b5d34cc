"""Refinement of poses by expectation maximisation over the pairs of points that they explain."""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.initialization.pose_constraints import PointPairs
from mav_perception.types import FloatArray, IntArray

ANNEALING = (
    (9.0, 200), (4.0, 120), (2.0, 80), (1.0, 60), (1.0, 40), (1.0, 30), (1.0, 20), (1.0, 20),
)  # fmt: skip
"""Factors on the covariances while seeds are refined, and how many seeds survive each step."""

QUARTER_TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])

SAME_POSITION, SAME_YAW = 0.7, 0.35
"""Modes nearer than this, in metres and radians, are one."""


def refine(pairs: PointPairs, seeds: FloatArray, static: bool) -> tuple[FloatArray, FloatArray]:
    """Climb from seeds to modes by expectation maximisation with Gauss-Newton steps.

    The covariances shrink from the width of a cell to the data's, and after each step seeds that
    fell together, and those that fell far behind, are dropped.

    Args:
        pairs: pairs of points.
        seeds: (S, 4) poses.
        static: the yaw means nothing.

    Returns:
        poses (M, 4) and their covariances (M, 4, 4).
    """
    poses = seeds
    covariances = np.zeros((len(seeds), 4, 4))
    for widening, survivors in ANNEALING:
        poses, covariances, fit = _climb(pairs, poses, widening, static)
        order = _distinct(poses, np.argsort(-fit), static)[:survivors]
        poses, covariances = poses[order], covariances[order]
    return poses, covariances


def covariance_at(pairs: PointPairs, pose: FloatArray) -> FloatArray:
    """Return the covariance (4, 4) of a pose (4,) by the pairs that it explains."""
    return _climb(pairs, pose[None], 1.0, static=False)[1][0]


def _distinct(poses: FloatArray, order: IntArray, static: bool) -> IntArray:
    """Return the indices of poses that are not near one that comes before in `order`."""
    kept: list[int] = []
    for index in order:
        delta = poses[kept] - poses[index]
        near = np.linalg.norm(delta[:, :3], axis=1) < SAME_POSITION
        if not static:
            near &= np.abs(wrap_angle(delta[:, 3])) < SAME_YAW
        if not near.any():
            kept.append(int(index))
    return np.array(kept, np.int64)


def _climb(
    pairs: PointPairs, poses: FloatArray, widening: float, static: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Take one step from each of S poses: new poses, covariances, and F before the step."""
    information = np.zeros((len(poses), 4, 4))
    # What no pair tells is left where it is.
    information[:, np.arange(4), np.arange(4)] = [1e-4, 1e-4, 1e-4, 1e-2]
    gradient, fit = np.zeros((len(poses), 4)), np.zeros(len(poses))
    for own in (False, True):
        some = np.flatnonzero(pairs.own == own)
        more = _normal_equations(pairs, some, own, poses, widening, static)
        information, gradient, fit = information + more[0], gradient + more[1], fit + more[2]
    covariance = np.asarray(np.linalg.inv(information), float)
    moved = poses + np.einsum('sij,sj->si', covariance, gradient)
    moved[:, 3] = wrap_angle(moved[:, 3])
    return moved, covariance, fit


def _normal_equations(
    pairs: PointPairs,
    some: IntArray,
    own: bool,
    poses: FloatArray,
    widening: float,
    static: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return information (S, 4, 4), gradient (S, 4) and fit F (S,) of some pairs at S poses."""
    information, gradient = np.zeros((len(poses), 4, 4)), np.zeros((len(poses), 4))
    turn = yaw_rotation(poses[:, 3])
    precision, explained = pairs.precision[some] / widening, pairs.explained[some, None]
    strength = pairs.log_peak_ratio[some, None] - 1.5 * np.log(widening)
    delta = _residual(pairs, some, poses, own)
    solved = precision @ delta
    ratio = np.exp(np.clip(strength - 0.5 * np.sum(delta * solved, axis=1), -50.0, 50.0))
    weight = pairs.weight[some, None]
    share = weight * ratio / (1.0 + explained + ratio)
    fit = (weight * np.log1p(ratio / (1.0 + explained))).sum(axis=0)
    frame = turn if own else np.eye(3)
    block = (share.T @ precision.reshape(-1, 9)).reshape(-1, 3, 3)
    information[:, :3, :3] = frame @ block @ np.swapaxes(frame, -1, -2)
    pull = np.einsum('ns,nis->si', share, solved)
    gradient[:, :3] = np.einsum('...ij,...j->...i', frame, pull)
    if static:
        return information, gradient, fit
    swing = pairs.body_points[some] @ QUARTER_TURN.T  # d(R w)/d(psi), in the drone's frame
    by_yaw = swing[:, :, None] if own else (turn @ swing.T).transpose(2, 1, 0)
    weighted = precision @ by_yaw
    cross = np.einsum('ns,nis->si', share, np.broadcast_to(weighted, delta.shape))
    cross = np.einsum('...ij,...j->...i', frame, cross)
    information[:, :3, 3] = information[:, 3, :3] = cross
    information[:, 3, 3] = np.sum(share * np.sum(by_yaw * weighted, axis=1), axis=0)
    gradient[:, 3] = np.sum(share * np.sum(by_yaw * solved, axis=1), axis=0)
    return information, gradient, fit


def _residual(pairs: PointPairs, some: IntArray, poses: FloatArray, own: bool) -> FloatArray:
    """Return (n, 3, S) y - x - R w of S poses, in the frame in which the precision stands."""
    turn = yaw_rotation(poses[:, 3])
    if own:
        offset = pairs.map_points[some][None] - poses[:, None, :3]
        return (offset @ turn).transpose(1, 2, 0) - pairs.body_points[some][:, :, None]
    moved = pairs.body_points[some] @ turn.transpose(0, 2, 1) + poses[:, None, :3]
    return pairs.map_points[some][:, :, None] - moved.transpose(1, 2, 0)


def intensity_ratios(pairs: PointPairs, pose: FloatArray) -> FloatArray:
    """Return (n,) intensities of the drone at every pair, over the clutter density."""
    ratio = np.empty(len(pairs.body_points))
    for own in (False, True):
        some = np.flatnonzero(pairs.own == own)
        delta = _residual(pairs, some, pose[None], own)
        squared = np.sum(delta * (pairs.precision[some] @ delta), axis=1)[:, 0]
        ratio[some] = np.exp(np.clip(pairs.log_peak_ratio[some] - 0.5 * squared, -50.0, 50.0))
    return ratio
