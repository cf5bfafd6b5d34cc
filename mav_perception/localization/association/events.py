"""Joint association events: which candidates were detected, and by which sightings.

An event theta gives every candidate one sighting or none, and no sighting to two candidates. It is
a row of integers, one a candidate: the index of its sighting, or -1 for a missed detection.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from mav_perception.localization.association.gating import gate_clusters
from mav_perception.localization.association.problem import (
    MISSED,
    AssociationEvents,
    AssociationProblem,
)
from mav_perception.types import FloatArray, IntArray

NEGLIGIBLE = 16.0
"""Events whose uncoupled weight is smaller by this than that of the likeliest under the same
hypothesis are left out, log odds."""


def joint_association_events(problem: AssociationProblem, max_events: int) -> AssociationEvents:
    """Return every joint association event that is not negligible, within a budget.

    The graph of all gates, whatever the hypothesis, falls into clusters with events of their own;
    the product of these under every hypothesis is cut to `max_events` in all. The weight that was
    cut for want of budget is reported.
    """
    hypotheses, targets = problem.log_missed.shape
    inside, parent = problem.inside, np.arange(hypotheses)
    assignment = np.full((hypotheses, targets), MISSED, np.int64)
    weight = problem.log_prior + problem.log_missed.sum(axis=1)
    log_total, cut = weight, False
    gain = np.where(inside, problem.log_likelihood_ratio - problem.log_missed[..., None], -np.inf)
    for who, which in gate_clusters(np.any(inside, axis=0)):
        local, local_gain, local_total, whole = cluster_events(
            gain[:, who[:, None], which], max_events
        )
        log_total = log_total + local_total
        first, second, fits = _likely_pairs(weight, parent, local_gain, max_events)
        cut |= not (whole and fits)
        parent, assignment = parent[first], assignment[first]
        weight = weight[first] + local_gain[parent, second]
        picked = local[second]
        assignment[:, who] = np.where(picked == MISSED, MISSED, which[picked])
    kept = np.exp(_log_sum(weight) - _log_sum(log_total)) if cut else 1.0
    return AssociationEvents(parent, assignment, float(np.clip(1.0 - kept, 0.0, 1.0)))


def cluster_events(
    gain: FloatArray, max_events: int
) -> tuple[IntArray, FloatArray, FloatArray, bool]:
    """Return the events of one cluster that are not negligible, by branch and bound.

    Sighting after sighting goes to each candidate that is still free, or to none. A branch that
    cannot come within `NEGLIGIBLE` of the likeliest event, under any hypothesis, is cut; beyond
    the budget so are those that can reach least.

    Args:
        gain: (K, T, m) log weight of a pair, less that of missing the candidate; -inf outside the
            gate.
        max_events: the budget.

    Returns:
        events (E, T), their log weights (K, E) less that of missing everybody, the log of their
        sum (K,) with an upper bound of what was cut for want of budget, and whether nothing was.
    """
    order = np.argsort(-gain.max(axis=(0, 1)), kind='stable')
    likeliest = _likeliest(gain)
    reach = _sums_of_the_rest(np.maximum(gain.max(axis=1), 0.0)[:, order])
    rest = _sums_of_the_rest(np.logaddexp.reduce(gain, axis=1, initial=0.0)[:, order])
    assignment = np.full((1, gain.shape[1]), MISSED, np.int64)
    weight, beyond = np.zeros((len(gain), 1)), np.full(len(gain), -np.inf)
    for place, sighting in enumerate(order.tolist()):
        gated = np.isfinite(gain[:, :, sighting]).any(axis=0)
        parent, candidate = np.nonzero(gated & (assignment == MISSED))
        given = assignment[parent]
        given[np.arange(len(parent)), candidate] = sighting
        assignment = np.concatenate([assignment, given])
        more = weight[:, parent] + gain[:, candidate, sighting]
        weight = np.concatenate([weight, more], axis=1)
        attainable = (weight + reach[:, place, None] - likeliest[:, None]).max(axis=0)
        kept = attainable > min(attainable.max(), 0.0) - NEGLIGIBLE
        if kept.sum() > max_events:
            few = attainable >= np.partition(attainable, -max_events)[-max_events]
            lost = weight[:, kept & ~few] + rest[:, place, None]
            beyond, kept = np.logaddexp(beyond, _log_sum(lost)), few
        assignment, weight = assignment[kept], weight[:, kept]
    total = np.logaddexp(_log_sum(weight), beyond)
    return assignment, weight, total, not np.isfinite(beyond).any()


def _likeliest(gain: FloatArray) -> FloatArray:
    """Return (K,) log weights of the likeliest event under each hypothesis."""
    worth = np.maximum(gain, 0.0)  # rather than take a sighting at a loss a candidate is missed
    return np.array([w[linear_sum_assignment(w, maximize=True)].sum() for w in worth])


def _sums_of_the_rest(values: FloatArray) -> FloatArray:
    """Return (K, m) sums of what comes after each column of (K, m)."""
    return np.asarray(values.sum(axis=1, keepdims=True) - np.cumsum(values, axis=1), float)


def _likely_pairs(
    weight: FloatArray, parent: IntArray, local_weight: FloatArray, number: int
) -> tuple[IntArray, IntArray, bool]:
    """Join events so far with those of the next cluster, the `number` likeliest pairs at most.

    Args:
        weight: (B,) log weights of the events so far.
        parent: (B,) their hypotheses.
        local_weight: (K, E) log weights of the events of the cluster under each hypothesis.
        number: the budget.

    Returns:
        indices of both for every pair, by the first, and whether all possible pairs are there.
    """
    total = weight[:, None] + local_weight[parent]
    best = np.full(len(local_weight), -np.inf)
    np.maximum.at(best, parent, total.max(axis=1))
    keep = total > best[parent, None] - NEGLIGIBLE
    if keep.sum() > number:
        keep &= total >= np.partition(total, -number, axis=None)[-number]
    first, second = np.nonzero(keep)
    return first, second, bool(keep.sum() == (total > -np.inf).sum())


def _log_sum(log_weight: FloatArray) -> FloatArray:
    """Return the log of the sum along the last axis."""
    # scipy's logsumexp takes ten times as long for so few.
    return np.asarray(np.logaddexp.reduce(log_weight, axis=-1), float)
