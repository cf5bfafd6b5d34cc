"""Mixture reduction: from the events of all hypotheses to the next few hypotheses.

Every pair of a hypothesis and an event is a branch. The heaviest branch and all that lie near it
become one Gaussian with the exact moments of the group; then the next heaviest that is left
(Salmond 2009, 'Mixture reduction algorithms'). Explanations that differ stay apart until later
frames tell which was right. With room for one hypothesis all branches are merged at once: that is
the coupled PDA filter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import solve_triangular

from mav_perception.errors import InputError
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import (
    JointHypothesis,
    difference,
    mixture_moments,
    wrapped,
)
from mav_perception.localization.update.event_updates import EventUpdates, merge_events
from mav_perception.types import BoolArray, FloatArray, IntArray

MIN_WEIGHT = 1e-4
"""A hypothesis this unlikely is forgotten."""


@dataclass(frozen=True)
class Branches:
    """All events of all hypotheses.

    Attributes:
        parents: the hypotheses before the frame.
        updates: events of each parent.
        existence: per parent (E, O), probability of every object after each event.
        detectable: per parent (E, N + O), whether the camera can detect each drone and object.
        camera: of the scan, its index in the team.
        weight: (B,) of every branch, normalised, parent after parent.
        parent, event: (B,) where every branch comes from.
    """

    parents: tuple[JointHypothesis, ...]
    updates: tuple[EventUpdates, ...]
    existence: tuple[FloatArray, ...]
    detectable: tuple[FloatArray, ...]
    camera: int
    weight: FloatArray
    parent: IntArray
    event: IntArray


def reduce_mixture(
    branches: Branches, drones: int, parameters: FilterParameters
) -> tuple[tuple[JointHypothesis, ...], float]:
    """Return the hypotheses after a frame, the heaviest first, and the weight that was dropped.

    Raises:
        InputError: a covariance would not be positive definite; nothing has changed then.
    """
    if parameters.max_hypotheses == 1:
        return (_merged(branches, np.ones(len(branches.weight), bool), drones),), 0.0
    means = np.concatenate(
        [p.mean + u.shift for p, u in zip(branches.parents, branches.updates, strict=True)]
    )
    group = _grouped(branches, means, drones, parameters)
    found = [_merged(branches, group == index, drones) for index in range(group.max() + 1)]
    total = sum(h.weight for h in found)
    kept = [replace(h, weight=h.weight / total) for h in found]
    return tuple(sorted(kept, key=lambda h: -h.weight)), max(1.0 - total, 0.0)


def _grouped(
    branches: Branches, means: FloatArray, drones: int, parameters: FilterParameters
) -> IntArray:
    """Return (B,) the group of every branch, -1 for those that are too light to matter.

    The heaviest branch that is far from all heads so far heads the next group; when there are
    enough heads, everybody goes to the nearest.
    """
    group = np.full(len(branches.weight), -1)
    alive = np.flatnonzero(branches.weight > MIN_WEIGHT * 1e-2)
    weight, alive_means = branches.weight[alive], means[alive]
    nearest, head_of = np.full(len(alive), np.inf), np.zeros(len(alive), np.int64)
    for number in range(parameters.max_hypotheses):
        far = nearest > parameters.merge_distance
        head = int(np.argmax(np.where(far, weight, 0.0)))
        if not far[head] or (number and weight[far].sum() < MIN_WEIGHT):
            break
        after = _covariance_after(branches, int(alive[head]))
        distance = _mahalanobis(alive_means - alive_means[head], after, drones)
        closer = distance < nearest
        head_of[closer], nearest[closer] = number, distance[closer]
    group[alive] = head_of
    return group


def _covariance_after(branches: Branches, branch: int) -> FloatArray:
    parent, event = branches.parent[branch], branches.event[branch]
    updates = branches.updates[parent]
    alone = np.zeros(len(updates.log_weight))
    alone[event] = 1.0
    return merge_events(branches.parents[parent].covariance, updates, alone)[1]


def _mahalanobis(delta: FloatArray, covariance: FloatArray, drones: int) -> FloatArray:
    """Return the (B,) Mahalanobis distances of differences of state vectors."""
    if len(delta) == 1:
        return np.zeros(1)
    wrapped_delta = difference(delta, np.zeros(delta.shape[1]), drones)
    root = _cholesky(covariance)
    return np.linalg.norm(solve_triangular(root, wrapped_delta.T, lower=True), axis=0)


def _merged(branches: Branches, group: BoolArray, drones: int) -> JointHypothesis:
    """Merge one group of branches, parent by parent and then the parents."""
    parts = []
    for index, parent in enumerate(branches.parents):
        mine = group & (branches.parent == index)
        weight = float(branches.weight[mine].sum())
        if weight > 0.0:
            share = np.zeros(len(branches.updates[index].log_weight))
            share[branches.event[mine]] = branches.weight[mine] / weight
            parts.append(replace(_of_one_parent(branches, index, parent, share), weight=weight))
    weights = np.array([part.weight for part in parts])
    if len(parts) == 1:
        mean, covariance = wrapped(parts[0].mean, drones), parts[0].covariance
    else:
        means = np.array([part.mean for part in parts])
        covariances = np.array([part.covariance for part in parts])
        mean, covariance = mixture_moments(weights, means, covariances, drones)
    _cholesky(covariance)
    total = float(weights.sum())
    return JointHypothesis(
        weight=total,
        mean=mean,
        covariance=covariance,
        existence=weights @ np.array([part.existence for part in parts]) / total,
        detectable=np.tensordot(weights, [part.detectable for part in parts], 1) / total,
    )


def _of_one_parent(
    branches: Branches, index: int, parent: JointHypothesis, share: FloatArray
) -> JointHypothesis:
    """Merge events of one hypothesis that have these shares (E,) of its weight."""
    shift, covariance = merge_events(parent.covariance, branches.updates[index], share)
    detectable = parent.detectable.copy()
    detectable[branches.camera] = share @ branches.detectable[index]
    return replace(
        parent,
        mean=parent.mean + shift,
        covariance=covariance,
        existence=share @ branches.existence[index],
        detectable=detectable,
    )


def _cholesky(covariance: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.cholesky(covariance), float)
    except np.linalg.LinAlgError:
        raise InputError(
            'An update gave a covariance that is not positive definite: it was refused. Check '
            'that the variances of the sightings are not far too small.'
        ) from None
