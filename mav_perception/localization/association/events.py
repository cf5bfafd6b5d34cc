"""Joint association events: which candidates were detected, and by which sightings.

An event theta gives every candidate one sighting or none, and no sighting to two candidates. It is
a row of integers, one a candidate: the index of its sighting, or -1 for a missed detection.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from mav_perception.localization.association.gating import gate_clusters
from mav_perception.localization.association.murty import k_best_events, log_total_weight
from mav_perception.localization.association.problem import (
    MISSED,
    AssociationEvents,
    AssociationProblem,
)
from mav_perception.types import FloatArray, IntArray

NEGLIGIBLE = 16.0
"""Events whose uncoupled weight is smaller than the largest by this are left out, log odds."""

MURTY_EVENTS = 200
"""Events of a cluster that is too large to enumerate."""


def joint_association_events(problem: AssociationProblem, max_events: int) -> AssociationEvents:
    """Return every joint association event inside the gates, or the likeliest beyond the budget.

    The gate graph falls into clusters. Each is enumerated whole, or by Murty's algorithm where
    that would be more than `max_events`; their product is cut to `max_events` as well. The weight
    that was cut is reported.
    """
    assignment = np.full((1, len(problem.log_missed)), MISSED, np.int64)
    weight, log_total, cut = np.zeros(1), 0.0, False
    for who, which in gate_clusters(problem.inside):
        pairs = np.ix_(who, which)
        log_ratio = np.where(problem.inside[pairs], problem.log_likelihood_ratio[pairs], -np.inf)
        log_missed = problem.log_missed[who]
        local = cluster_events(log_ratio, max_events)
        if local is None:
            local = k_best_events(log_ratio, log_missed, min(max_events, MURTY_EVENTS))
            cut = True
        local_weight = uncoupled_log_weights(local, log_ratio, log_missed)
        log_total += log_total_weight(log_ratio, log_missed) if cut else logsumexp(local_weight)
        first, second = _best_pairs(weight, local_weight, max_events)
        cut |= len(first) < len(weight) * len(local_weight)
        assignment, weight = assignment[first], weight[first] + local_weight[second]
        picked = local[second]
        assignment[:, who] = np.where(picked == MISSED, MISSED, which[picked])
    likely = weight > weight.max() - NEGLIGIBLE
    cut |= not likely.all()
    assignment, weight = assignment[likely], weight[likely]
    dropped = 1.0 - np.exp(logsumexp(weight) - log_total) if cut else 0.0
    return AssociationEvents(assignment, float(np.clip(dropped, 0.0, 1.0)))


def cluster_events(log_ratio: FloatArray, max_events: int) -> IntArray | None:
    """Return (E, T) all events of a cluster, or None if there are more than `max_events`.

    Args:
        log_ratio: (T, m), -inf outside the gate.
        max_events: the budget.
    """
    assignment = np.empty((1, 0), np.int64)
    used = np.zeros((1, log_ratio.shape[1]), bool)
    for row in log_ratio:
        choices = np.flatnonzero(row > -np.inf)
        parent, picked = np.nonzero(~used[:, choices])
        sighting = choices[picked]
        taken = used[parent]
        taken[np.arange(len(parent)), sighting] = True
        choice = np.concatenate([np.full(len(assignment), MISSED), sighting])
        parents = np.concatenate([np.arange(len(assignment)), parent])
        assignment = np.column_stack([assignment[parents], choice])
        used = np.concatenate([used, taken])
        if len(assignment) > max_events:
            return None
    return assignment


def uncoupled_log_weights(
    assignment: IntArray, log_ratio: FloatArray, log_missed: FloatArray
) -> FloatArray:
    """Return (E,) log weights of events with every candidate on its own (uncoupled)."""
    # MISSED is -1, the last column.
    weight: FloatArray = np.column_stack([log_ratio, log_missed])
    return weight[np.arange(len(log_missed)), assignment].sum(axis=1)


def _best_pairs(first: FloatArray, second: FloatArray, number: int) -> tuple[IntArray, IntArray]:
    """Return the indices of the `number` largest sums of one element of each."""
    total = np.add.outer(first, second).ravel()
    kept = np.arange(len(total))
    if len(total) > number:
        kept = np.argpartition(-total, number)[:number]
    return kept // len(second), kept % len(second)
