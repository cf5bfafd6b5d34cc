"""Measurement update: the moments of the Gaussian mixture over all joint association events.

For an event theta that detects the set D, with H_D, R_D and nu stacked,
    Q_D = H_D P H_D' + R_D,   K_D = P H_D' Q_D^-1,
    w_theta ~ prod_{b in D} P_D,b prod_{b not in D} (1 - P_D,b P_G) lambda^(m - |D|) N(nu; 0, Q_D),
    x+ = x + d,   d = sum_theta w K_D nu,
    P+ = P - sum_theta w K_D H_D P + sum_theta w K_D nu (K_D nu)' - d d'.
Q_D uses the full joint P: that is what makes the filter coupled (Blom & Bloem 2000).
`evaluate_events` gives w and d of every event; `merge_events` merges any group of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mav_perception.localization.association.events import AssociationEvents
from mav_perception.localization.association.gating import MEASUREMENT_SIZE
from mav_perception.localization.association.murty import MISSED
from mav_perception.types import FloatArray, IntArray


@dataclass(frozen=True)
class DetectionModel:
    """Numbers that weigh events.

    Attributes:
        probability: (T,) P_D of every candidate.
        gate_probability: P_G.
        clutter_density: (m,) lambda at every sighting, per unit of measurement volume.
    """

    probability: FloatArray
    gate_probability: float
    clutter_density: FloatArray

    @cached_property
    def log_detected(self) -> FloatArray:
        """Return (T, m) log of P_D / lambda."""
        tiny = np.finfo(float).tiny
        detected = np.log(np.maximum(self.probability, tiny))
        return detected[:, None] - np.log(self.clutter_density)

    @cached_property
    def log_missed(self) -> FloatArray:
        """Return (T,) log of 1 - P_D P_G."""
        return np.log1p(-self.probability * self.gate_probability)


@dataclass(frozen=True)
class EventGroup:
    """Events that detect the same number k of candidates, E_k of them.

    Attributes:
        index: (E_k,) which events.
        rows: (E_k, 3k) which rows of H belong to the candidates that are detected.
        inverse: (E_k, 3k, 3k) Q_D^-1.
    """

    index: IntArray
    rows: IntArray
    inverse: FloatArray


@dataclass(frozen=True)
class EventUpdates:
    """Every event as a Kalman update of its own.

    Attributes:
        log_weight: (E,) not normalised; lambda^m, the same for all, is left out.
        shift: (E, n) d of every event.
        distance: (E,) squared norm of the stacked innovation, nu' Q_D^-1 nu.
        number: (E,) of candidates detected.
        gain: (3T, n) H P of all candidates. Every event works through some of its rows, so that
            nothing of size n is computed event by event.
        groups: the events by number of candidates detected.
    """

    log_weight: FloatArray
    shift: FloatArray
    distance: FloatArray
    number: IntArray
    gain: FloatArray
    groups: tuple[EventGroup, ...]


def evaluate_events(
    covariance: FloatArray,
    jacobians: FloatArray,
    innovations: FloatArray,
    noise: FloatArray,
    events: AssociationEvents,
    model: DetectionModel,
) -> EventUpdates:
    """Weigh all events and do the Kalman update of each, those of one size at once.

    Args:
        covariance: (n, n) prior P.
        jacobians: (T, 3, n) H of every candidate.
        innovations: (T, m, 3) nu of every pair.
        noise: (T, m, 3, 3) R of every pair.
        events: (E, T) joint association events.
        model: P_D, P_G and clutter density.
    """
    size = len(covariance)
    stacked = jacobians.reshape(-1, size)
    gain = stacked @ covariance  # H P of all candidates at once
    spread = gain @ stacked.T
    assignment = events.assignment
    detected = assignment != MISSED
    number = detected.sum(axis=1)
    log_weight = np.where(detected, 0.0, model.log_missed).sum(axis=1)
    distance = np.zeros(len(assignment))
    pull = np.zeros((len(assignment), len(stacked)))  # Q_D^-1 nu, in the rows of H
    groups = []
    for k in range(1, int(number.max(initial=0)) + 1):
        index = np.flatnonzero(number == k)
        if not len(index):
            continue
        who = np.nonzero(detected[index])[1].reshape(-1, k)
        which = np.take_along_axis(assignment[index], who, axis=1)
        rows = (MEASUREMENT_SIZE * who[..., None] + np.arange(MEASUREMENT_SIZE)).reshape(
            len(index), -1
        )
        innovation = innovations[who, which].reshape(len(index), -1)
        total = spread[rows[:, :, None], rows[:, None, :]] + _block_diagonal(noise[who, which])
        inverse = np.asarray(np.linalg.inv(total), float)
        solved = np.einsum('eij,ej->ei', inverse, innovation)
        distance[index] = np.einsum('ei,ei->e', innovation, solved)
        pull[index[:, None], rows] = solved
        log_weight[index] += model.log_detected[who, which].sum(axis=1) - 0.5 * (
            distance[index]
            + np.linalg.slogdet(total)[1]
            + MEASUREMENT_SIZE * k * np.log(2.0 * np.pi)
        )
        groups.append(EventGroup(index, rows, inverse))
    return EventUpdates(log_weight, pull @ gain, distance, number, gain, tuple(groups))


def merge_events(
    covariance: FloatArray, updates: EventUpdates, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Merge events into one Gaussian with the mixture's exact moments.

    Args:
        covariance: (n, n) prior P.
        updates: the events.
        weight: (E,) non-negative, sum 1; zero leaves an event out.

    Returns:
        d (n,), to be added to the mean, and P+ (n, n).
    """
    shift = weight @ updates.shift
    used = np.flatnonzero(weight)
    centred = updates.shift[used] - shift
    posterior = covariance + (weight[used, None] * centred).T @ centred
    count = len(updates.gain)
    information = np.zeros(count * count)  # sum_theta w Q_D^-1, in the rows of H
    for group in updates.groups:
        share = weight[group.index]
        some = np.flatnonzero(share)
        rows = group.rows[some]
        cells = rows[:, :, None] * count + rows[:, None, :]
        values = share[some, None, None] * group.inverse[some]
        information += np.bincount(cells.ravel(), values.ravel(), count * count)
    posterior -= updates.gain.T @ information.reshape(count, count) @ updates.gain
    return shift, (posterior + posterior.T) / 2.0


def normalised(log_weight: FloatArray) -> FloatArray:
    """Return weights that sum to 1 from logarithms."""
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()


def _block_diagonal(blocks: FloatArray) -> FloatArray:
    """Put (E, k, 3, 3) blocks on the diagonals of (E, 3k, 3k) matrices."""
    events, k, size = blocks.shape[:3]
    result = np.zeros((events, k, size, k, size))
    for index in range(k):
        result[:, index, :, index, :] = blocks[:, index]
    return result.reshape(events, k * size, k * size)


def marginals(assignment: IntArray, weight: FloatArray, sightings: int) -> FloatArray:
    """Sum event weights into (T, m + 1); -1 indexes the last column, which is 'missed'."""
    candidates = assignment.shape[1]
    marginal = np.zeros((candidates, sightings + 1))
    for row in range(candidates):
        marginal[row] = np.bincount(
            assignment[:, row] % (sightings + 1), weight, minlength=sightings + 1
        )
    return marginal


def permutation_pruned(events: AssociationEvents, updates: EventUpdates) -> EventUpdates:
    """Keep, of the events that detect the same candidates by the same sightings, the likeliest.

    This is CPDA* (Blom & Bloem 2000): permutations of one another would pull the estimates of near
    drones together.
    """
    detected = events.assignment != MISSED
    key = np.concatenate([detected, np.sort(events.assignment, axis=1)], axis=1)
    order = np.argsort(-updates.log_weight, kind='stable')
    _, first = np.unique(key[order], axis=0, return_index=True)
    likeliest = np.zeros(len(order), bool)
    likeliest[order[first]] = True
    return replace(updates, log_weight=np.where(likeliest, updates.log_weight, -np.inf))
