"""Mixture reduction: from the events of all hypotheses to the next few hypotheses.

Every event under its hypothesis is a branch. The heaviest branch and all that lie near it become
one Gaussian with the exact moments of the group; then the next heaviest that is left (Salmond
2009, 'Mixture reduction algorithms'). Explanations that differ stay apart until later frames tell
which was right. With room for one hypothesis all branches are merged at once: that is the coupled
PDA filter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from mav_perception.errors import InputError
from mav_perception.localization.hypotheses import JointHypotheses, difference, wrapped
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.update.branches import Branches
from mav_perception.localization.update.event_updates import information_of
from mav_perception.types import FloatArray, IntArray

MIN_WEIGHT = 1e-4
"""A hypothesis this unlikely is forgotten."""


@dataclass(frozen=True)
class Reduction:
    """What is left of the branches.

    Attributes:
        hypotheses: the next ones, the heaviest first.
        unexplained: (K, m) probability under each that no candidate gave the sighting.
        forgotten: weight of the branches that were dropped.
    """

    hypotheses: JointHypotheses
    unexplained: FloatArray
    forgotten: float


def reduce_mixture(branches: Branches, drones: int, parameters: FilterParameters) -> Reduction:
    """Merge the branches of every group into one hypothesis each.

    Raises:
        InputError: a covariance would not be positive definite; nothing has changed then.
    """
    if parameters.max_hypotheses == 1:
        group = np.zeros(len(branches.weight), np.int64)
    else:
        group = _grouped(branches, drones, parameters)
    kept = np.flatnonzero(group >= 0)
    weights = np.asarray(np.bincount(group[kept], branches.weight[kept]), float)
    order: IntArray = np.argsort(-weights, kind='stable')
    group[kept] = np.argsort(order)[group[kept]]
    weights = weights[order]
    share = np.zeros((len(weights), len(group)))
    share[group[kept], kept] = branches.weight[kept] / weights[group[kept]]
    return Reduction(
        hypotheses=_merged(branches, group, share, weights, drones),
        unexplained=share @ branches.unexplained,
        forgotten=max(1.0 - float(weights.sum()), 0.0),
    )


def _grouped(branches: Branches, drones: int, parameters: FilterParameters) -> IntArray:
    """Return (B,) the group of every branch, -1 for those that are too light to matter.

    The heaviest branch that is far from all heads so far heads the next group; with enough heads,
    everybody goes to the nearest. What is far and too light for a group is forgotten: it would
    widen its neighbour frame after frame. Each head hangs on those before: the one loop over
    hypotheses that must be.
    """
    group = np.full(len(branches.weight), -1)
    alive = np.flatnonzero(branches.weight > MIN_WEIGHT * 1e-2)
    compared, weight = branches.compared, branches.weight[alive]
    means = branches.means[alive[:, None], compared]
    covariances = branches.prior.covariances[:, compared[:, None], compared]
    cross = branches.cross_covariance[:, :, compared]
    nearest, head_of = np.full(len(alive), np.inf), np.zeros(len(alive), np.int64)
    for number in range(parameters.max_hypotheses):
        far = nearest > parameters.merge_distance
        head = int(np.argmax(np.where(far, weight, 0.0)))
        if not far[head] or (number and weight[far].sum() < MIN_WEIGHT):
            break
        root = _cholesky(_covariance_after(branches, int(alive[head]), covariances, cross))
        delta = difference(means, means[head], drones)
        distance = np.linalg.norm(
            solve_triangular(root, delta.T, lower=True, check_finite=False), axis=0
        )
        closer = distance < nearest
        head_of[closer], nearest[closer] = number, distance[closer]
    head_of[(nearest > parameters.merge_distance) & (weight < MIN_WEIGHT)] = -1
    group[alive] = head_of
    return group


def _covariance_after(
    branches: Branches, branch: int, covariances: FloatArray, cross: FloatArray
) -> FloatArray:
    """Return the covariance (C, C) after one event.

    Args:
        branches: all of them.
        branch: which.
        covariances: (K, C, C) P of the states that are compared.
        cross: (K, 3T, C) their columns of H P.
    """
    parent, updates = branches.parent[branch], branches.updates
    if not updates.number[branch]:
        return np.asarray(covariances[parent], float)
    group, place = updates.groups[updates.number[branch] - 1], updates.place[branch]
    rows = cross[parent, group.rows[place]]
    return np.asarray(covariances[parent] - rows.T @ group.inverse[place] @ rows, float)


def _merged(
    branches: Branches, group: IntArray, share: FloatArray, weights: FloatArray, drones: int
) -> JointHypotheses:
    """Merge every group of branches into one Gaussian with the moments of the group.

    x = sum w x_b and P = sum w (P_b + (x_b - x) (x_b - x)'). P_b is that of the parent less what
    the event tells, so that the parents are summed by their share of the group.

    Args:
        branches: all of them.
        group: (B,) of each, -1 for none.
        share: (G, B) w of each branch in its group.
        weights: (G,) of the groups.
        drones: N.
    """
    prior, means, own = branches.prior, branches.means, share.sum(axis=0)
    head = np.argmax(share, axis=1)
    delta = difference(means, means[head[group]], drones)
    shift = share @ delta
    of_parent = np.zeros((len(weights), len(prior)))
    np.add.at(of_parent, (group, branches.parent), own)
    covariances = np.tensordot(of_parent, prior.covariances, 1)
    covariances -= _explained(branches, group, own, len(weights))
    spread = _padded(np.sqrt(own)[:, None] * (delta - shift[group]), group)
    covariances += np.swapaxes(spread, 1, 2) @ spread
    covariances = (covariances + np.swapaxes(covariances, 1, 2)) / 2.0
    _cholesky(covariances)
    detectable = np.tensordot(of_parent, prior.detectable, 1)
    detectable[:, branches.camera] = share @ branches.detectable
    return JointHypotheses(
        weights=weights / weights.sum(),
        means=wrapped(means[head] + shift, drones),
        covariances=covariances,
        existence=share @ branches.existence,
        detectable=detectable,
    )


def _explained(branches: Branches, group: IntArray, share: FloatArray, groups: int) -> FloatArray:
    """Return (G, n, n) sum_theta w K_D H_D P, what the events of each group tell.

    Args:
        branches: all of them.
        group: (B,) of each, -1 for none.
        share: (B,) in its group.
        groups: G.
    """
    number, rows = branches.cross_covariance.shape[:2]
    kept = np.flatnonzero(group >= 0)
    pairs, pair = np.unique(group[kept] * number + branches.parent[kept], return_inverse=True)
    cell = np.full(len(group), -1)
    cell[kept] = pair
    information = information_of(branches.updates, share, cell, len(pairs), rows)
    cross = branches.cross_covariance[pairs % number]
    told = information @ cross
    first = np.searchsorted(pairs // number, np.arange(groups))
    result = np.swapaxes(cross[first], 1, 2) @ told[first]
    # Most groups have one parent: what the others have more is added parent by parent.
    rank = np.arange(len(pairs)) - first[pairs // number]
    for more in range(1, int(rank.max()) + 1):
        index = np.flatnonzero(rank == more)
        result[pairs[index] // number] += np.swapaxes(cross[index], 1, 2) @ told[index]
    return np.asarray(result, float)


def _padded(rows: FloatArray, group: IntArray) -> FloatArray:
    """Return (G, most, n) the rows (B, n) of every group, zeros behind them."""
    order = np.argsort(group, kind='stable')
    order = order[group[order] >= 0]
    ordered = group[order]
    place = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    padded = np.zeros((int(ordered[-1]) + 1, int(place.max()) + 1, rows.shape[1]))
    padded[ordered, place] = rows[order]
    return padded


def _cholesky(covariance: FloatArray) -> FloatArray:
    """Return the lower roots of covariances (..., n, n), or raise InputError where there is none.

    LAPACK lets NaN pass.
    """
    try:
        root = np.asarray(np.linalg.cholesky(covariance), float)
    except np.linalg.LinAlgError:
        root = np.full(1, np.nan)
    if not np.isfinite(root).all():
        raise InputError(
            'An update gave a covariance that is not positive definite: it was refused. Check '
            'that the variances of the sightings are not far too small.'
        )
    return root
