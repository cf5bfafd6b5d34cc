"""Pose modes: where one drone may be, the modes of the likelihood of its pose.

The log likelihood ratio of a pose against 'it was never seen' is that of Poisson sources,

    F(x, psi) = sum_i g_i log(1 + s_i(x, psi) / (1 + e_i)) - sum_scans g P_D v(x, psi),

with s_i the intensity of the drone at a sighting over the clutter density, e_i that of the drones
whose pose is known, v the probability of a sighting in view, P_D as far as nothing may hide it for
long, and g what a scan counts. Its modes are found by
voting: with psi fixed, every pair votes for x = y - R(psi) w. Each is refined by
expectation maximisation and weighed by Laplace's approximation of its integral.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.initialization.pose_constraints import (
    PointPairs,
    shown_probability,
)
from mav_perception.localization.initialization.pose_refinement import (
    SAME_POSITION,
    SAME_YAW,
    intensity_ratios,
    refine,
)
from mav_perception.localization.initialization.start_prior import StartPrior
from mav_perception.localization.initialization.view_opportunities import (
    ViewOpportunities,
    in_view,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray

YAW_STEPS = 60
CELL = 1.0
CELLS_PER_YAW, SEEDS = 12, 400

SEARCH_VOLUME = 40.0 * 40.0 * 10.0
"""Where a drone may be at all, cubic metres: the prior of a mode is its share of this."""


@dataclass(frozen=True)
class PoseMode:
    """One pose that a drone may have.

    Attributes:
        pose: (4,) x, y, z, yaw now; of a static object the yaw means nothing.
        covariance: (4, 4).
        intensity_ratio: (J,) intensity over clutter density at each buffered sighting.
        cost: expected number of sightings in the scans that should have shown it.
        log_prior: log of the share of the search volume that the mode takes up, or of its prior.
        evidence: F + log_prior, when no other drone is added.
    """

    pose: FloatArray
    covariance: FloatArray
    intensity_ratio: FloatArray
    cost: float
    log_prior: float
    evidence: float

    def same_as(self, other: PoseMode) -> bool:
        """Tell whether another mode is so near that both are one."""
        near = float(np.linalg.norm(self.pose[:3] - other.pose[:3])) < SAME_POSITION
        return near and abs(float(wrap_angle(self.pose[3] - other.pose[3]))) < SAME_YAW


@dataclass(frozen=True)
class PoseEvidence:
    """What is known of the pose of one drone, or of a static object.

    Attributes:
        pairs: pairs of points that hold if the drone is there.
        opportunities: scans in which it may have been missed.
        sightings: number J of buffered sightings.
        parameters: P_D, field of view and range.
        static: a static object, which has no path and no yaw.
        prior: where its start and its odometry have it, None if it may be anywhere.
    """

    pairs: PointPairs
    opportunities: ViewOpportunities
    sightings: int
    parameters: FilterParameters
    static: bool = False
    prior: StartPrior | None = None


def find_modes(known: PoseEvidence) -> list[PoseMode]:
    """Return the modes of one drone's pose, the likeliest first."""
    if not len(known.pairs.body_points):
        return []
    seeds = _vote(known.pairs, 1 if known.static else YAW_STEPS)
    if known.prior is not None:
        seeds = np.concatenate([seeds, known.prior.seeds()])
    poses, covariances = refine(known.pairs, seeds, known.static)
    modes = [mode_at(known, *mode) for mode in zip(poses, covariances, strict=True)]
    return sorted(modes, key=lambda mode: -mode.evidence)


def _vote(pairs: PointPairs, yaw_steps: int) -> FloatArray:
    """Return (S, 4) poses with most votes, from all yaws on a grid."""
    value = pairs.weight * np.maximum(pairs.log_peak_ratio - np.log1p(pairs.explained), 0.0)
    sums, positions = [], []
    for yaw in np.arange(yaw_steps) * 2.0 * np.pi / yaw_steps:
        votes = pairs.map_points - pairs.body_points @ yaw_rotation(yaw).T
        cells, inverse = np.unique(
            np.floor(votes / CELL).astype(np.int64), axis=0, return_inverse=True
        )
        inverse = inverse.ravel()
        total = np.bincount(inverse, value, len(cells))
        number = np.bincount(inverse, minlength=len(cells))
        middle = [np.bincount(inverse, axis, len(cells)) / number for axis in votes.T]
        best = np.argsort(-total)[:CELLS_PER_YAW]
        sums.append(total[best])
        positions.append(np.column_stack([*(m[best] for m in middle), np.full(len(best), yaw)]))
    order = np.argsort(-np.concatenate(sums))[:SEEDS]
    return np.concatenate(positions)[order]


def mode_at(known: PoseEvidence, pose: FloatArray, covariance: FloatArray) -> PoseMode:
    """Return the mode of a pose (4,) and covariance (4, 4), with what speaks for it."""
    fit, ratio, cost = log_likelihood_ratio(
        known.pairs, known.opportunities, pose, known.parameters
    )
    total = np.bincount(known.pairs.sighting, ratio, known.sightings).astype(float)
    free = slice(0, 3 if known.static else 4)
    own = covariance[free, free]
    anywhere = -float(np.log(SEARCH_VOLUME * (1.0 if known.static else 2.0 * np.pi)))
    density = anywhere
    if known.prior is not None:
        density = known.prior.log_density(pose, own, anywhere)
    log_prior = 0.5 * float(np.linalg.slogdet(2.0 * np.pi * own)[1]) + density
    return PoseMode(
        pose=pose,
        covariance=covariance,
        intensity_ratio=total,
        cost=cost,
        log_prior=log_prior,
        evidence=fit - cost + log_prior,
    )


def log_likelihood_ratio(
    pairs: PointPairs,
    opportunities: ViewOpportunities,
    pose: FloatArray,
    parameters: FilterParameters,
) -> tuple[float, FloatArray, float]:
    """Return what sightings say for a pose, their ratios s_i (n,), and what misses cost it.

    Their difference is F. Over clutter exp F averages to one at any pose, or to less where scans
    count less than one, so that a high one is as seldom as it says: the cost is the number of
    sightings that the pose makes us expect.
    """
    ratio = intensity_ratios(pairs, pose)
    fit = float(pairs.weight @ np.log1p(ratio / (1.0 + pairs.explained)))
    view = in_view(opportunities, pose, parameters)
    return fit, ratio, shown_probability(parameters) * float(opportunities.weight @ view)


def known_intensity(pairs: PointPairs, sightings: int) -> FloatArray:
    """Return (J,) how much known drones explain each buffered sighting."""
    result = np.zeros(sightings)
    result[pairs.sighting] = pairs.explained
    return result
