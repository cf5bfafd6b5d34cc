"""The K most likely events of a cluster that is too large to enumerate (Murty 1968)."""

from __future__ import annotations

import heapq
from itertools import count

import numpy as np
from scipy.optimize import linear_sum_assignment

from mav_perception.localization.association.problem import MISSED
from mav_perception.types import FloatArray, IntArray

EXACT_SIGHTINGS = 12
"""Up to so many sightings the total weight of all events is summed exactly."""

FORBIDDEN = 1e9


def k_best_events(log_ratio: FloatArray, log_missed: FloatArray, number: int) -> IntArray:
    """Return (K, T) the `number` likeliest events, the likeliest first.

    The best solution of a set of events splits the rest of that set into disjoint parts: those
    that differ first at candidate 0, at candidate 1 and so on. The best of all parts comes next.

    Args:
        log_ratio: (T, m) log weight of candidate t giving sighting j, -inf outside the gate.
        log_missed: (T,) log weight of giving none.
        number: K.
    """
    targets, sightings = log_ratio.shape
    # Every candidate has a column of its own for 'missed'.
    cost = np.full((targets, sightings + targets), FORBIDDEN)
    cost[:, :sightings] = np.where(log_ratio > -np.inf, -log_ratio, FORBIDDEN)
    cost[np.arange(targets), sightings + np.arange(targets)] = -log_missed
    order = count()
    heap: list[tuple[float, int, IntArray, FloatArray, int]] = []

    def push(part: FloatArray, fixed: int) -> None:
        rows, columns = linear_sum_assignment(part)
        total = float(part[rows, columns].sum())
        if total < FORBIDDEN / 2.0:
            heapq.heappush(heap, (total, next(order), columns, part, fixed))

    push(cost, 0)
    found: list[IntArray] = []
    while heap and len(found) < number:
        _, _, columns, part, fixed = heapq.heappop(heap)
        found.append(columns)
        part = part.copy()
        for row in range(fixed, targets):
            other = part.copy()
            other[row, columns[row]] = FORBIDDEN
            push(other, row)
            # From here on this candidate keeps its choice.
            keep = part[row, columns[row]]
            part[row] = FORBIDDEN
            part[row, columns[row]] = keep
    events = np.array(found)
    return np.where(events < sightings, events, MISSED)


def log_total_weight(log_ratio: FloatArray, log_missed: FloatArray) -> float:
    """Return the log of the weight of all events of a cluster together, uncoupled.

    Sums over the sets of used sightings, candidate by candidate. With more than `EXACT_SIGHTINGS`
    sightings it is the upper bound that lets a sighting be used twice.
    """
    sightings = log_ratio.shape[1]
    ratio = np.exp(log_ratio - log_missed[:, None])
    if sightings > EXACT_SIGHTINGS:
        return float(log_missed.sum() + np.log1p(ratio.sum(axis=1)).sum())
    sets = np.arange(2**sightings)
    weight = np.zeros(len(sets))
    weight[0] = 1.0
    for row in ratio:
        previous = weight.copy()
        for sighting in np.flatnonzero(row):
            has = sets[(sets >> sighting) & 1 == 1]
            weight[has] += previous[has ^ (1 << int(sighting))] * row[sighting]
    return float(log_missed.sum() + np.log(weight.sum()))
