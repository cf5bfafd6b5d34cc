"""Where one drone may be: the modes of the likelihood of its pose, with their evidence.

The log likelihood ratio of a pose against 'it was never seen' is that of Poisson sources,

    F(x, psi) = sum_i g_i log(1 + s_i(x, psi) / (1 + e_i)) - sum_looks g P_D v(x, psi),

with s_i the intensity of the drone at a sighting over the clutter density, e_i that of the drones
whose place is known, v whether it was in view, and g what a frame counts. Its modes are found by
voting: with psi fixed, every pair votes for x = y - R(psi) w. Each is refined by
expectation maximisation and weighed by Laplace's approximation of its integral.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.initialization.pose_constraints import (
    PointPairs,
    ViewOpportunities,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray, IntArray

YAW_STEPS = 60
CELL = 1.0
CELLS_PER_YAW, SEEDS = 12, 400

ANNEALING = (
    (9.0, 200), (4.0, 120), (2.0, 80), (1.0, 60), (1.0, 40), (1.0, 30), (1.0, 20), (1.0, 20),
)  # fmt: skip
"""Factors on the covariances while seeds are refined, and how many seeds survive each step."""

QUARTER_TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])

SAME_PLACE, SAME_YAW = 0.7, 0.35
"""Modes nearer than this, in metres and radians, are one."""

SEARCH_VOLUME = 40.0 * 40.0 * 10.0
"""Where a drone may be at all, cubic metres: the price of a place is its share of this."""

MISS_TRUST = 0.5
"""Share of P_D by which a miss counts: what hides a drone hides it for many frames."""


@dataclass(frozen=True)
class PoseMode:
    """One place where a drone may be.

    Attributes:
        pose: (4,) x, y, z, yaw now; of a static object the yaw means nothing.
        covariance: (4, 4).
        gain: (J,) intensity over clutter density at each remembered sighting.
        cost: expected number of sightings, that is, the price of misses.
        log_prior: log of the share of the search volume that the mode takes up.
        evidence: F + log_prior, when nothing else is placed anew.
    """

    pose: FloatArray
    covariance: FloatArray
    gain: FloatArray
    cost: float
    log_prior: float
    evidence: float


def find_modes(
    pairs: PointPairs,
    looks: ViewOpportunities,
    sightings: int,
    parameters: FilterParameters,
    static: bool = False,
) -> list[PoseMode]:
    """Return the modes of one drone's place, the likeliest first.

    Args:
        pairs: pairs of points that hold if the drone is there.
        looks: frames in which it may have been missed.
        sightings: number J of remembered sightings.
        parameters: P_D, field of view and range.
        static: a static object, which has no path and no yaw.
    """
    if not len(pairs.here):
        return []
    votes = _vote(pairs, 1 if static else YAW_STEPS)
    poses, covariances = refine(pairs, votes, static)
    modes = [
        _weigh(pairs, looks, sightings, parameters, static, pose, covariance)
        for pose, covariance in zip(poses, covariances, strict=True)
    ]
    return sorted(modes, key=lambda mode: -mode.evidence)


def _vote(pairs: PointPairs, yaw_steps: int) -> FloatArray:
    """Return (S, 4) poses with most votes, from all yaws on a grid."""
    value = pairs.weight * np.maximum(pairs.strength - np.log1p(pairs.explained), 0.0)
    sums, places = [], []
    for yaw in np.arange(yaw_steps) * 2.0 * np.pi / yaw_steps:
        votes = pairs.there - pairs.here @ yaw_rotation(yaw).T
        cells, inverse = np.unique(
            np.floor(votes / CELL).astype(np.int64), axis=0, return_inverse=True
        )
        inverse = inverse.ravel()
        total = np.bincount(inverse, value, len(cells))
        number = np.bincount(inverse, minlength=len(cells))
        middle = [np.bincount(inverse, axis, len(cells)) / number for axis in votes.T]
        best = np.argsort(-total)[:CELLS_PER_YAW]
        sums.append(total[best])
        places.append(np.column_stack([*(m[best] for m in middle), np.full(len(best), yaw)]))
    order = np.argsort(-np.concatenate(sums))[:SEEDS]
    return np.concatenate(places)[order]


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


def _distinct(poses: FloatArray, order: IntArray, static: bool) -> IntArray:
    """Return the indices of poses that are not near one that comes before in `order`."""
    kept: list[int] = []
    for index in order:
        delta = poses[kept] - poses[index]
        near = np.linalg.norm(delta[:, :3], axis=1) < SAME_PLACE
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
    gradient = np.zeros((len(poses), 4))
    fit = np.zeros(len(poses))
    turn = yaw_rotation(poses[:, 3])
    for own in (False, True):
        some = np.flatnonzero(pairs.own == own)
        precision, explained = pairs.precision[some] / widening, pairs.explained[some, None]
        strength = pairs.strength[some, None] - 1.5 * np.log(widening)
        delta = _residual(pairs, some, poses, own)
        solved = precision @ delta
        gain = np.exp(np.clip(strength - 0.5 * np.sum(delta * solved, axis=1), -50.0, 50.0))
        weight = pairs.weight[some, None]
        share = weight * gain / (1.0 + explained + gain)
        fit += (weight * np.log1p(gain / (1.0 + explained))).sum(axis=0)
        frame = turn if own else np.eye(3)
        block = (share.T @ precision.reshape(-1, 9)).reshape(-1, 3, 3)
        information[:, :3, :3] += frame @ block @ np.swapaxes(frame, -1, -2)
        pull = np.einsum('ns,nis->si', share, solved)
        gradient[:, :3] += np.einsum('...ij,...j->...i', frame, pull)
        if static:
            continue
        swing = pairs.here[some] @ QUARTER_TURN.T  # d(R w)/d(psi), in the drone's frame
        by_yaw = swing[:, :, None] if own else (turn @ swing.T).transpose(2, 1, 0)
        weighted = precision @ by_yaw
        cross = np.einsum('ns,nis->si', share, np.broadcast_to(weighted, delta.shape))
        cross = np.einsum('...ij,...j->...i', frame, cross)
        information[:, :3, 3] += cross
        information[:, 3, :3] += cross
        information[:, 3, 3] += np.sum(share * np.sum(by_yaw * weighted, axis=1), axis=0)
        gradient[:, 3] += np.sum(share * np.sum(by_yaw * solved, axis=1), axis=0)
    covariance = np.asarray(np.linalg.inv(information), float)
    moved = poses + np.einsum('sij,sj->si', covariance, gradient)
    moved[:, 3] = wrap_angle(moved[:, 3])
    return moved, covariance, fit


def _residual(pairs: PointPairs, some: IntArray, poses: FloatArray, own: bool) -> FloatArray:
    """Return (n, 3, S) y - x - R w of S poses, in the frame in which the precision stands."""
    turn = yaw_rotation(poses[:, 3])
    if own:
        offset = pairs.there[some][None] - poses[:, None, :3]
        return (offset @ turn).transpose(1, 2, 0) - pairs.here[some][:, :, None]
    moved = pairs.here[some] @ turn.transpose(0, 2, 1) + poses[:, None, :3]
    return pairs.there[some][:, :, None] - moved.transpose(1, 2, 0)


def intensities(pairs: PointPairs, pose: FloatArray) -> FloatArray:
    """Return (n,) intensities of the drone at every pair, over the clutter density."""
    gain = np.empty(len(pairs.here))
    for own in (False, True):
        some = np.flatnonzero(pairs.own == own)
        delta = _residual(pairs, some, pose[None], own)
        distance = np.sum(delta * (pairs.precision[some] @ delta), axis=1)[:, 0]
        gain[some] = np.exp(np.clip(pairs.strength[some] - 0.5 * distance, -50.0, 50.0))
    return gain


def _weigh(
    pairs: PointPairs,
    looks: ViewOpportunities,
    sightings: int,
    parameters: FilterParameters,
    static: bool,
    pose: FloatArray,
    covariance: FloatArray,
) -> PoseMode:
    gain = intensities(pairs, pose)
    fit = float(pairs.weight @ np.log1p(gain / (1.0 + pairs.explained)))
    total = np.bincount(pairs.sighting, gain, sightings).astype(float)
    chance = parameters.detection_probability * MISS_TRUST
    cost = chance * float(looks.weight @ _in_view(looks, pose, parameters))
    free = slice(0, 3 if static else 4)
    own = covariance[free, free]
    space = SEARCH_VOLUME * (1.0 if static else 2.0 * np.pi)
    log_prior = 0.5 * float(np.linalg.slogdet(2.0 * np.pi * own)[1]) - np.log(space)
    return PoseMode(pose, covariance, total, cost, log_prior, fit - cost + log_prior)


def _in_view(
    looks: ViewOpportunities, pose: FloatArray, parameters: FilterParameters
) -> FloatArray:
    """Return (f,) 1 where the drone at this pose, or a drone seen from it, was well in view."""
    own = looks.own[:, None]
    turn = yaw_rotation(pose[3])
    observer = np.where(own, pose[:3] + looks.observer @ turn.T, looks.observer)
    target = np.where(own, looks.target, pose[:3] + looks.target @ turn.T)
    yaw = looks.yaw + np.where(looks.own, pose[3], 0.0)
    levelled = np.einsum('nji,nj->ni', yaw_rotation(yaw), target - observer)
    x, y, z = np.einsum('nij,nj->ni', looks.optical, levelled).T
    distance = np.linalg.norm(levelled, axis=1)
    inside = np.abs(np.arctan2(x, z)) < 0.85 * looks.half_view[:, 0]
    inside &= np.abs(np.arctan2(y, z)) < 0.85 * looks.half_view[:, 1]
    inside &= (distance > 1.2 * parameters.min_range) & (distance < 0.9 * parameters.max_range)
    return inside.astype(float)


def known_intensity(pairs: PointPairs, sightings: int) -> FloatArray:
    """Return (J,) how much known drones explain each remembered sighting."""
    result = np.zeros(sightings)
    result[pairs.sighting] = pairs.explained
    return result
