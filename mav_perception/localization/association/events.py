"""Joint association events: which candidates were detected, and by which sightings.

An event theta gives every candidate one sighting or none, and no sighting to two candidates. It is
a row of integers, one a candidate: the index of its sighting, or -1 for a missed detection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import logsumexp

from mav_perception.localization.association.gating import gate_clusters
from mav_perception.localization.association.murty import MISSED, k_best_events, log_total_weight
from mav_perception.types import BoolArray, FloatArray, IntArray

NEGLIGIBLE = 16.0
"""Events whose uncoupled weight is smaller than the largest by this are left out, log odds."""

MURTY_EVENTS = 200
"""Events of a cluster that is too large to enumerate."""


@dataclass(frozen=True)
class AssociationProblem:
    """What is known before association, for T candidates and m sightings.

    Attributes:
        likelihood: (T, m) log of P_D N(nu; 0, S) / clutter density, each candidate on its own.
        missed: (T,) log of (1 - P_D P_G).
        inside: (T, m) the sighting lies in the validation gate of the candidate.
        candidates: (T,) drone indices.
        labels: (m,) true drone index of every sighting or -1, only for the labelled rival.
    """

    likelihood: FloatArray
    missed: FloatArray
    inside: BoolArray
    candidates: IntArray
    labels: IntArray | None = None


@dataclass(frozen=True)
class AssociationEvents:
    """The events that are considered.

    Attributes:
        assignment: (E, T) index of the sighting of every candidate, or -1.
        dropped: share of the weight, by uncoupled likelihood, of the events that were cut.
    """

    assignment: IntArray
    dropped: float = 0.0


Associate = Callable[[AssociationProblem, int], AssociationEvents]


def joint_association_events(problem: AssociationProblem, max_events: int) -> AssociationEvents:
    """Return every joint association event inside the gates, or the likeliest beyond the budget.

    The gate graph falls into clusters. Each is enumerated whole, or by Murty's algorithm where
    that would be more than `max_events`; their product is cut to `max_events` as well. The weight
    that was cut is reported.
    """
    count = len(problem.missed)
    assignment, weight = np.full((1, count), MISSED, np.int64), np.zeros(1)
    log_total, cut = 0.0, False
    for who, which in gate_clusters(problem.inside):
        missed, likelihood = problem.missed[who], problem.likelihood[np.ix_(who, which)]
        likelihood = np.where(problem.inside[np.ix_(who, which)], likelihood, -np.inf)
        local = enumerate_events(likelihood, max_events)
        if local is None:
            local = k_best_events(likelihood, missed, min(max_events, MURTY_EVENTS))
            cut = True
        local_weight = event_log_weights(local, likelihood, missed)
        log_total += log_total_weight(likelihood, missed) if cut else logsumexp(local_weight)
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


def enumerate_events(likelihood: FloatArray, max_events: int) -> IntArray | None:
    """Return (E, T) all events of a cluster, or None if there are more than `max_events`.

    Args:
        likelihood: (T, m), -inf outside the gate.
        max_events: the budget.
    """
    assignment = np.empty((1, 0), np.int64)
    used = np.zeros((1, likelihood.shape[1]), bool)
    for row in likelihood:
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


def event_log_weights(
    assignment: IntArray, likelihood: FloatArray, missed: FloatArray
) -> FloatArray:
    """Return (E,) log weights of events with every candidate on its own (uncoupled)."""
    # MISSED is -1, the last column.
    weight: FloatArray = np.column_stack([likelihood, missed])
    return weight[np.arange(len(missed)), assignment].sum(axis=1)


def _best_pairs(first: FloatArray, second: FloatArray, number: int) -> tuple[IntArray, IntArray]:
    """Return the indices of the `number` largest sums of one element of each."""
    total = np.add.outer(first, second).ravel()
    kept = np.arange(len(total))
    if len(total) > number:
        kept = np.argpartition(-total, number)[:number]
    return kept // len(second), kept % len(second)


def nearest_neighbour_event(problem: AssociationProblem, max_events: int) -> AssociationEvents:
    """Decide for the one most likely event (global nearest neighbour), the rival of the CPDAF."""
    gain = np.where(problem.inside, problem.likelihood - problem.missed[:, None], -np.inf)
    profit = np.maximum(gain, 0.0)
    rows, columns = linear_sum_assignment(-profit)
    assignment = np.full((1, len(problem.missed)), MISSED, np.int64)
    taken = profit[rows, columns] > 0.0
    assignment[0, rows[taken]] = columns[taken]
    return AssociationEvents(assignment)


def labelled_event(problem: AssociationProblem, max_events: int) -> AssociationEvents:
    """Use the true identities: the bound that no association of nameless sightings can beat."""
    assert problem.labels is not None, 'identities are needed'
    assignment = np.full((1, len(problem.missed)), MISSED, np.int64)
    for row, candidate in enumerate(problem.candidates):
        mine = np.flatnonzero((problem.labels == candidate) & problem.inside[row])
        if len(mine):
            assignment[0, row] = mine[0]
    return AssociationEvents(assignment)
