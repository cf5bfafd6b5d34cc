"""Joint association events: which candidates were detected, and by which sightings.

An event theta gives every candidate one sighting or none, and no sighting to two candidates. It is
a row of integers, one a candidate: the index of its sighting, or -1 for a missed detection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from mav_perception.types import BoolArray, FloatArray, IntArray

MISSED = -1


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
    """Enumerate every joint association event inside the gates.

    Beyond `max_events` the enumeration keeps the most likely partial events candidate by candidate
    and reports the weight that was cut.
    """
    count = problem.likelihood.shape[1]
    assignment = np.empty((1, 0), np.int64)
    used = np.zeros((1, count), bool)
    weight = np.zeros(1)
    dropped = 0.0
    for row, missed, inside in zip(
        problem.likelihood, problem.missed, problem.inside, strict=True
    ):
        choices = np.flatnonzero(inside)
        free = ~used[:, choices]
        parent, picked = np.nonzero(free)
        sighting = choices[picked]
        new_used = used[parent]
        new_used[np.arange(len(parent)), sighting] = True
        choice = np.concatenate([np.full(len(assignment), MISSED), sighting])
        parents = np.concatenate([np.arange(len(assignment)), parent])
        assignment = np.column_stack([assignment[parents], choice])
        used = np.concatenate([used, new_used])
        weight = np.concatenate([weight + missed, weight[parent] + row[sighting]])
        if len(weight) > max_events:
            kept = np.argpartition(-weight, max_events)[:max_events]
            share = np.exp(weight - weight.max())
            dropped += (1.0 - dropped) * float(1.0 - share[kept].sum() / share.sum())
            assignment, used, weight = assignment[kept], used[kept], weight[kept]
    return AssociationEvents(assignment, dropped)


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
