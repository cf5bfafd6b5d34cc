"""Joint association events: which candidates were detected, and by which sightings.

An event theta gives every candidate one sighting or none, and no sighting to two candidates. It is
a row of integers, one a candidate: the index of its sighting, or -1 for a missed detection.
"""

from __future__ import annotations

import numpy as np

from mav_perception.localization.association.gating import gate_clusters
from mav_perception.localization.association.murty import k_best_events, log_total_weight
from mav_perception.localization.association.problem import (
    MISSED,
    AssociationEvents,
    AssociationProblem,
)
from mav_perception.types import BoolArray, FloatArray, IntArray

NEGLIGIBLE = 16.0
"""Events whose uncoupled weight is smaller by this than that of the likeliest under the same
hypothesis are left out, log odds."""

MURTY_EVENTS = 200
"""Events of a cluster that is too large to enumerate, under each hypothesis."""


def joint_association_events(problem: AssociationProblem, max_events: int) -> AssociationEvents:
    """Return every joint association event inside the gates, or the likeliest beyond the budget.

    The graph of all gates, whatever the hypothesis, falls into clusters. Each is enumerated whole,
    or by Murty's algorithm where that would be more than `max_events`; their product under every
    hypothesis is cut to `max_events` in all. The weight that was cut is reported.
    """
    hypotheses, targets = problem.log_missed.shape
    inside, parent = problem.inside, np.arange(hypotheses)
    assignment = np.full((hypotheses, targets), MISSED, np.int64)
    weight = problem.log_prior + problem.log_missed.sum(axis=1)
    log_total, cut = weight, False
    gain = np.where(inside, problem.log_likelihood_ratio - problem.log_missed[..., None], -np.inf)
    for who, which in gate_clusters(np.any(inside, axis=0)):
        local, local_gain, local_total, whole = _events_of_cluster(
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


def _events_of_cluster(
    gain: FloatArray, max_events: int
) -> tuple[IntArray, FloatArray, FloatArray, bool]:
    """Return the events of a cluster with their weights against missing every candidate.

    Where there are too many, the likeliest under each hypothesis are taken.

    Args:
        gain: (K, T, m) log weight of a pair, less that of missing the candidate.
        max_events: the budget.

    Returns:
        events (E, T), log weights (K, E), the log of their sum over all events (K,), and whether
        these are all events.
    """
    missed = np.zeros(gain.shape[:2])
    local = cluster_events(np.isfinite(gain.max(axis=0)), max_events)
    if local is not None:
        weight = uncoupled_log_weights(local, gain, missed)
        return local, weight, _log_sum(weight), True
    pairs = list(zip(gain, missed, strict=True))
    number = min(max_events, MURTY_EVENTS)
    local = np.unique(np.concatenate([k_best_events(*pair, number) for pair in pairs]), axis=0)
    total = np.array([log_total_weight(*pair) for pair in pairs])
    return local, uncoupled_log_weights(local, gain, missed), total, False


def cluster_events(inside: BoolArray, max_events: int) -> IntArray | None:
    """Return (E, T) all events of a cluster, or None if there are more than `max_events`.

    Args:
        inside: (T, m) the sighting lies in the gate of the candidate.
        max_events: the budget.
    """
    assignment = np.full((1, len(inside)), MISSED, np.int64)
    for sighting, gated in enumerate(inside.T):
        parent, candidate = np.nonzero(gated & (assignment == MISSED))
        used = assignment[parent]
        used[np.arange(len(parent)), candidate] = sighting
        assignment = np.concatenate([assignment, used])
        if len(assignment) > max_events:
            return None
    return assignment


def uncoupled_log_weights(
    assignment: IntArray, log_ratio: FloatArray, log_missed: FloatArray
) -> FloatArray:
    """Return (..., E) log weights of events with every candidate on its own (uncoupled).

    Args:
        assignment: (E, T) events.
        log_ratio: (..., T, m) of the pairs.
        log_missed: (..., T) of the candidates.
    """
    # MISSED is -1, the last column.
    weight = np.concatenate([log_ratio, log_missed[..., None]], axis=-1)
    total: FloatArray = weight[..., np.arange(assignment.shape[1]), assignment].sum(axis=-1)
    return total


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
