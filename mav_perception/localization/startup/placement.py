"""Where one drone may be: the modes of the likelihood of its pose, with their evidence.

The log likelihood ratio of a pose against 'it was never seen' is that of Poisson sources,

    F(x, psi) = sum_i log(1 + s_i(x, psi) / (1 + e_i)) - sum_looks P_D v(x, psi),

with s_i the intensity of the drone at a sighting over the clutter density, e_i that of the drones
whose place is known, and v the share of frames in which it was in view. Its modes are found by
voting: with psi fixed, every pair votes for x = y - R(psi) w. Each is refined by
expectation maximisation and weighed by Laplace's approximation of its integral.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation, yaw_rotation_derivative
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.startup.evidence import Looks, Pairs
from mav_perception.types import FloatArray

YAW_STEPS = 60
CELL = 1.0
SEEDS_VOTED, SEEDS_REFINED = 300, 40
ANNEALING = (9.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0)
"""Factors on the covariances while a seed is refined: from the width of a cell to the data's."""

SAME_PLACE, SAME_YAW = 0.7, 0.35
"""Modes nearer than this, in metres and radians, are one."""

SEARCH_VOLUME = 40.0 * 40.0 * 10.0
"""Where a drone may be at all, cubic metres: the price of a place is its share of this."""

MISS_TRUST = 0.5
"""Share of P_D by which a miss counts: what hides a drone hides it for many frames."""


@dataclass(frozen=True)
class Mode:
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
    pairs: Pairs, looks: Looks, sightings: int, parameters: FilterParameters, static: bool = False
) -> list[Mode]:
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
    seeds = _vote(pairs, 1 if static else YAW_STEPS)
    scores = [_likelihood(pairs, seed, ANNEALING[0])[0] for seed in seeds]
    modes: list[Mode] = []
    order = np.argsort(scores)[::-1]
    for seed in _distinct([seeds[i] for i in order])[:SEEDS_REFINED]:
        refined = _refine(pairs, seed, static)
        if refined is None or any(_same(refined[0], mode.pose, static) for mode in modes):
            continue
        modes.append(_weigh(pairs, looks, sightings, parameters, static, *refined))
    return sorted(modes, key=lambda mode: -mode.evidence)


def _vote(pairs: Pairs, yaw_steps: int) -> list[FloatArray]:
    """Return the (4,) poses with most votes, from all yaws on a grid."""
    value = np.maximum(pairs.strength - np.log1p(pairs.explained), 0.0)
    keys, sums, places = [], [], []
    for yaw in np.arange(yaw_steps) * 2.0 * np.pi / yaw_steps:
        votes = pairs.there - pairs.here @ yaw_rotation(yaw).T
        cells, inverse = np.unique(
            np.floor(votes / CELL).astype(np.int64), axis=0, return_inverse=True
        )
        inverse = inverse.ravel()
        total = np.bincount(inverse, value, len(cells))
        best = np.argsort(-total)[:8]
        for cell in best:
            place = votes[inverse == cell].mean(axis=0)
            places.append(np.append(place, yaw))
            sums.append(total[cell])
        keys.append(best)
    order = np.argsort(-np.array(sums))[:SEEDS_VOTED]
    return [places[i] for i in order]


def _distinct(seeds: list[FloatArray]) -> list[FloatArray]:
    kept: list[FloatArray] = []
    for seed in seeds:
        if not any(_same(seed, other, False) for other in kept):
            kept.append(seed)
    return kept


def _same(pose: FloatArray, other: FloatArray, static: bool) -> bool:
    near = bool(np.linalg.norm(pose[:3] - other[:3]) < SAME_PLACE)
    return near and (static or abs(float(wrap_angle(pose[3] - other[3]))) < SAME_YAW)


def _residual(pairs: Pairs, pose: FloatArray) -> FloatArray:
    """Return (n, 3) y - x - R w, turned into the frame in which the precision stands."""
    delta = pairs.there - pose[:3] - pairs.here @ yaw_rotation(pose[3]).T
    own = pairs.own
    delta[own] = delta[own] @ yaw_rotation(pose[3])
    return delta


def _likelihood(
    pairs: Pairs, pose: FloatArray, widening: float
) -> tuple[float, FloatArray, FloatArray]:
    """Return F without misses, (n,) intensities over clutter density, and (n, 3) residuals."""
    delta = _residual(pairs, pose)
    distance = np.einsum('ni,nij,nj->n', delta, pairs.precision, delta) / widening
    gain = np.exp(np.clip(pairs.strength - 1.5 * np.log(widening) - 0.5 * distance, -50.0, 50.0))
    return float(np.log1p(gain / (1.0 + pairs.explained)).sum()), gain, delta


def _refine(
    pairs: Pairs, seed: FloatArray, static: bool
) -> tuple[FloatArray, FloatArray] | None:
    """Return pose (4,) and covariance (4, 4) at the mode near a seed, or None without a hold."""
    pose = seed.copy()
    covariance = np.eye(4)
    for widening in ANNEALING:
        _, gain, delta = _likelihood(pairs, pose, widening)
        share = gain / (1.0 + pairs.explained + gain)
        used = np.flatnonzero(share > 1e-3)
        if len(used) < 3:
            return None
        turn = yaw_rotation(pose[3])
        jacobian = np.zeros((len(used), 3, 4))
        jacobian[:, :, :3] = np.eye(3)
        if not static:
            jacobian[:, :, 3] = pairs.here[used] @ yaw_rotation_derivative(pose[3]).T
        own = pairs.own[used]
        jacobian[own] = turn.T @ jacobian[own]
        weighted = share[used, None, None] * pairs.precision[used] / widening
        information = np.einsum('nia,nij,njb->ab', jacobian, weighted, jacobian)
        # What no pair tells is left where it is.
        information[np.arange(4), np.arange(4)] += [1e-4, 1e-4, 1e-4, 1e-2]
        gradient = np.einsum('nia,nij,nj->a', jacobian, weighted, delta[used])
        covariance = np.linalg.inv(information)
        pose = pose + covariance @ gradient
    pose[3] = wrap_angle(pose[3])
    return pose, covariance


def _weigh(
    pairs: Pairs,
    looks: Looks,
    sightings: int,
    parameters: FilterParameters,
    static: bool,
    pose: FloatArray,
    covariance: FloatArray,
) -> Mode:
    fit, gain, _ = _likelihood(pairs, pose, 1.0)
    total = np.bincount(pairs.sighting, gain, sightings)
    chance = parameters.detection_probability * MISS_TRUST
    cost = chance * float(_in_view(looks, pose, parameters).sum())
    free = slice(0, 3 if static else 4)
    own = covariance[free, free]
    space = SEARCH_VOLUME * (1.0 if static else 2.0 * np.pi)
    log_prior = 0.5 * float(np.linalg.slogdet(2.0 * np.pi * own)[1]) - np.log(space)
    return Mode(pose, covariance, total, cost, log_prior, fit - cost + log_prior)


def _in_view(looks: Looks, pose: FloatArray, parameters: FilterParameters) -> FloatArray:
    """Return (f,) 1 where the drone at this pose, or a drone seen from it, was well in view."""
    own = looks.own[:, None]
    turn = yaw_rotation(pose[3])
    observer = np.where(own, pose[:3] + looks.observer @ turn.T, looks.observer)
    target = np.where(own, looks.target, pose[:3] + looks.target @ turn.T)
    yaw = looks.yaw + np.where(looks.own, pose[3], 0.0)
    levelled = np.einsum('nji,nj->ni', yaw_rotation(yaw), target - observer)
    x, y, z = np.einsum('nij,nj->ni', looks.optical, levelled).T
    distance = np.linalg.norm(levelled, axis=1)
    inside = np.abs(np.arctan2(x, z)) < 0.85 * parameters.half_view_horizontal
    inside &= np.abs(np.arctan2(y, z)) < 0.85 * parameters.half_view_vertical
    inside &= (distance > 1.2 * parameters.min_range) & (distance < 0.9 * parameters.max_range)
    return inside.astype(float)


def explained_by_sighting(pairs: Pairs, sightings: int) -> FloatArray:
    """Return (J,) how much known drones explain each remembered sighting."""
    result = np.zeros(sightings)
    result[pairs.sighting] = pairs.explained
    return result
