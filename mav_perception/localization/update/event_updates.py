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

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.association.problem import MISSED, AssociationEvents
from mav_perception.localization.measurement.detection_model import DetectionModel
from mav_perception.localization.measurement.observation import MEASUREMENT_SIZE
from mav_perception.types import FloatArray, IntArray


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
        squared_mahalanobis: (E,) nu' Q_D^-1 nu of the stacked innovation.
        number: (E,) of candidates detected.
        cross_covariance: (3T, n) H P of all candidates. Every event works through some of its
            rows, so that nothing of size n is computed event by event.
        groups: the events by number of candidates detected.
    """

    log_weight: FloatArray
    shift: FloatArray
    squared_mahalanobis: FloatArray
    number: IntArray
    cross_covariance: FloatArray
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

    w_theta ~ prod_{b in D} P_D,b / lambda prod_{b not in D} (1 - P_D,b P_G) N(nu; 0, Q_D) and
    d_theta = P H_D' Q_D^-1 nu with Q_D = H_D P H_D' + R_D.

    Args:
        covariance: (n, n) prior P.
        jacobians: (T, 3, n) H of every candidate.
        innovations: (T, m, 3) nu of every pair.
        noise: (T, m, 3, 3) R of every pair.
        events: (E, T) joint association events.
        model: P_D, P_G and clutter density.
    """
    stacked = jacobians.reshape(-1, len(covariance))
    cross_covariance = stacked @ covariance  # H P of all candidates at once
    predicted_covariance = cross_covariance @ stacked.T
    detected = events.assignment != MISSED
    number = detected.sum(axis=1)
    log_weight = np.where(detected, 0.0, model.log_missed).sum(axis=1)
    squared = np.zeros(len(number))
    pull = np.zeros((len(number), len(stacked)))  # Q_D^-1 nu, in the rows of H
    groups = []
    for k in range(1, int(number.max(initial=0)) + 1):
        index = np.flatnonzero(number == k)
        if not len(index):
            continue
        who = np.nonzero(detected[index])[1].reshape(-1, k)
        which = np.take_along_axis(events.assignment[index], who, axis=1)
        group, solved, norms, minus_two_log_density = _update_group(
            index, who, innovations[who, which], noise[who, which], predicted_covariance
        )
        squared[index] = norms
        pull[index[:, None], group.rows] = solved
        log_detection = model.log_detection_ratio[who, which].sum(axis=1)
        log_weight[index] += log_detection - 0.5 * minus_two_log_density
        groups.append(group)
    return EventUpdates(
        log_weight=log_weight,
        shift=pull @ cross_covariance,
        squared_mahalanobis=squared,
        number=number,
        cross_covariance=cross_covariance,
        groups=tuple(groups),
    )


def _update_group(
    index: IntArray,
    who: IntArray,
    innovations: FloatArray,
    noise: FloatArray,
    predicted_covariance: FloatArray,
) -> tuple[EventGroup, FloatArray, FloatArray, FloatArray]:
    """Solve the stacked innovations of the E_k events that detect k candidates each.

    Args:
        index: (E_k,) which events.
        who: (E_k, k) candidates detected.
        innovations: (E_k, k, 3) of the pairs.
        noise: (E_k, k, 3, 3) R of the pairs.
        predicted_covariance: (3T, 3T) H P H' of all candidates.

    Returns:
        the group, Q_D^-1 nu (E_k, 3k), nu' Q_D^-1 nu (E_k,) and -2 log N(nu; 0, Q_D) (E_k,).
    """
    count, size = len(index), MEASUREMENT_SIZE * who.shape[1]
    rows = (MEASUREMENT_SIZE * who[..., None] + np.arange(MEASUREMENT_SIZE)).reshape(count, -1)
    innovation = innovations.reshape(count, -1)
    joint = predicted_covariance[rows[:, :, None], rows[:, None, :]] + _block_diagonal(noise)
    inverse = np.asarray(np.linalg.inv(joint), float)
    solved = np.einsum('eij,ej->ei', inverse, innovation)
    squared = np.einsum('ei,ei->e', innovation, solved)
    minus_two_log_density = squared + np.linalg.slogdet(joint)[1] + size * np.log(2.0 * np.pi)
    return EventGroup(index, rows, inverse), solved, squared, minus_two_log_density


def merge_events(
    covariance: FloatArray, updates: EventUpdates, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Merge events into one Gaussian with the mixture's exact moments.

    d = sum_theta w d_theta and P+ = P - sum_theta w K_D H_D P + sum_theta w (d_theta - d)
    (d_theta - d)'.

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
    count = len(updates.cross_covariance)
    information = np.zeros(count * count)  # sum_theta w Q_D^-1, in the rows of H
    for group in updates.groups:
        share = weight[group.index]
        some = np.flatnonzero(share)
        rows = group.rows[some]
        cells = rows[:, :, None] * count + rows[:, None, :]
        values = share[some, None, None] * group.inverse[some]
        information += np.bincount(cells.ravel(), values.ravel(), count * count)
    posterior -= (
        updates.cross_covariance.T @ information.reshape(count, count) @ updates.cross_covariance
    )
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
