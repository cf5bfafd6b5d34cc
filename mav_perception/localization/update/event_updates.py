"""Measurement update: every joint association event under every hypothesis as a Kalman update.

For an event theta that detects the set D, with H_D, R_D and nu stacked,
    S_D = H_D P H_D' + R_D,   K_D = P H_D' S_D^-1,
    w_theta ~ prod_{b in D} P_D,b prod_{b not in D} (1 - P_D,b P_G) lambda^(m - |D|) N(nu; 0, S_D),
    x+ = x + d,   d = sum_theta w K_D nu,
    P+ = P - sum_theta w K_D H_D P + sum_theta w K_D nu (K_D nu)' - d d'.
S_D uses the full joint P: that is what makes the filter coupled (Blom & Bloem 2000).
`evaluate_events` gives w and d of every event; `mixture_reduction` merges any groups of them.
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
        inverse: (E_k, 3k, 3k) S_D^-1 of the update.
    """

    index: IntArray
    rows: IntArray
    inverse: FloatArray


@dataclass(frozen=True)
class EventUpdates:
    """Every one of B events as a Kalman update of its own.

    Attributes:
        log_weight: (B,) not normalised; lambda^m, the same for all, is left out.
        shift: (B, n) d of every event.
        squared_mahalanobis: (B,) nu' S_D^-1 nu of the stacked innovation, with R as it is.
        number: (B,) of candidates detected.
        place: (B,) which of its group each event is.
        groups: the events by number of candidates detected, from 1 up.
    """

    log_weight: FloatArray
    shift: FloatArray
    squared_mahalanobis: FloatArray
    number: IntArray
    place: IntArray
    groups: tuple[EventGroup, ...]


def evaluate_events(
    cross_covariance: FloatArray,
    predicted_covariance: FloatArray,
    innovations: FloatArray,
    noise: FloatArray,
    new_information: FloatArray,
    events: AssociationEvents,
    model: DetectionModel,
) -> EventUpdates:
    """Weigh all events and do the Kalman update of each, those of one size at once.

    w_theta ~ prod_{b in D} P_D,b l_b / lambda prod_{b not in D} (1 - P_D,b P_G) N(nu; 0, S_D),
    with l_b the likelihood ratio of the score of the sighting of b, and
    d_theta = P H_D' S_D^-1 nu with S_D = H_D P H_D' + R_D. A sighting whose error is mostly that
    of the one before is as likely as any other, but tells little: R_D of the update, not of the
    weight, is divided by what is new.

    Args:
        cross_covariance: (K, 3T, n) H P of all candidates.
        predicted_covariance: (K, 3T, 3T) H P H' of all candidates.
        innovations: (K, T, m, 3) nu of every pair.
        noise: (K, T, m, 3, 3) R of every pair.
        new_information: (T,) share of what a sighting of each candidate tells that is new.
        events: B joint association events.
        model: P_D (K, T), P_G, clutter density and scores.
    """
    parent, detected = events.parent, events.assignment != MISSED
    number = detected.sum(axis=1)
    log_weight = np.where(detected, 0.0, model.log_missed[parent]).sum(axis=1)
    squared = np.zeros(len(number))
    pull = np.zeros((len(number), cross_covariance.shape[1]))  # S_D^-1 nu, in the rows of H
    place, groups = np.zeros(len(number), np.int64), []
    for k in range(1, int(number.max(initial=0)) + 1):
        index = np.flatnonzero(number == k)
        place[index] = np.arange(len(index))
        of = parent[index, None]
        who = np.nonzero(detected[index])[1].reshape(-1, k)
        which = np.take_along_axis(events.assignment[index], who, axis=1)
        group, solved, norms, minus_two_log_density = _update_group(
            index, who, innovations[of, who, which], noise[of, who, which],
            new_information[who], predicted_covariance, parent[index],
        )  # fmt: skip
        squared[index] = norms
        pull[index[:, None], group.rows] = solved
        log_detection = model.log_detection_ratio[of, who, which].sum(axis=1)
        log_weight[index] += log_detection - 0.5 * minus_two_log_density
        groups.append(group)
    return EventUpdates(
        log_weight=log_weight,
        shift=_rows_times(pull, parent, cross_covariance),
        squared_mahalanobis=squared,
        number=number,
        place=place,
        groups=tuple(groups),
    )


def _update_group(
    index: IntArray,
    who: IntArray,
    innovations: FloatArray,
    noise: FloatArray,
    new_information: FloatArray,
    predicted_covariance: FloatArray,
    parent: IntArray,
) -> tuple[EventGroup, FloatArray, FloatArray, FloatArray]:
    """Solve the stacked innovations of the E_k events that detect k candidates each.

    Args:
        index: (E_k,) which events.
        who: (E_k, k) candidates detected.
        innovations: (E_k, k, 3) of the pairs.
        noise: (E_k, k, 3, 3) R of the pairs.
        new_information: (E_k, k) of the candidates.
        predicted_covariance: (K, 3T, 3T) H P H' of all candidates.
        parent: (E_k,) hypotheses of the events.

    Returns:
        the group, S_D^-1 nu (E_k, 3k), nu' S_D^-1 nu (E_k,) and -2 log N(nu; 0, S_D) (E_k,).
    """
    count, size = len(index), MEASUREMENT_SIZE * who.shape[1]
    rows = (MEASUREMENT_SIZE * who[..., None] + np.arange(MEASUREMENT_SIZE)).reshape(count, size)
    innovation = innovations.reshape(count, size)
    predicted = predicted_covariance[parent[:, None, None], rows[:, :, None], rows[:, None, :]]
    joint = predicted + _block_diagonal(noise)
    repeated = (new_information < 1.0).any()
    if repeated:
        solved = np.asarray(np.linalg.solve(joint, innovation[..., None])[..., 0], float)
    else:
        inverse = np.asarray(np.linalg.inv(joint), float)
        solved = _solved(inverse, innovation)
    squared = np.sum(innovation * solved, axis=1)
    minus_two_log_density = squared + np.linalg.slogdet(joint)[1] + size * np.log(2.0 * np.pi)
    if repeated:
        joint = predicted + _block_diagonal(noise / new_information[..., None, None])
        inverse = np.asarray(np.linalg.inv(joint), float)
        solved = _solved(inverse, innovation)
    return EventGroup(index, rows, inverse), solved, squared, minus_two_log_density


def _solved(inverse: FloatArray, innovation: FloatArray) -> FloatArray:
    return np.asarray((inverse @ innovation[..., None])[..., 0], float)


def information_of(
    updates: EventUpdates, share: FloatArray, cell: IntArray, cells: int, rows: int
) -> FloatArray:
    """Return (cells, 3T, 3T) sum_theta w S_D^-1, in the rows of H, of the events in each cell.

    Args:
        updates: the B events.
        share: (B,) w.
        cell: (B,) in which sum each event counts, -1 for none.
        cells: how many sums.
        rows: 3T.
    """
    total = np.zeros(cells * rows * rows)
    for group in updates.groups:
        used = np.flatnonzero(cell[group.index] >= 0)
        events, own = group.index[used], group.rows[used]
        start = cell[events, None, None] * rows
        place = (start + own[:, :, None]) * rows + own[:, None, :]
        values = share[events, None, None] * group.inverse[used]
        total += np.bincount(place.ravel(), values.ravel(), len(total))
    return total.reshape(cells, rows, rows)


def normalised(log_weight: FloatArray) -> FloatArray:
    """Return weights that sum to 1 from logarithms."""
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()


def _rows_times(rows: FloatArray, parent: IntArray, matrices: FloatArray) -> FloatArray:
    """Return (B, n) the product of every row (B, r) with the matrix (r, n) of its parent.

    Args:
        rows: (B, r).
        parent: (B,) ascending.
        matrices: (K, r, n).
    """
    first = np.searchsorted(parent, np.arange(len(matrices)))
    place = np.arange(len(parent)) - first[parent]
    padded = np.zeros((len(matrices), int(place.max(initial=-1)) + 1, rows.shape[1]))
    padded[parent, place] = rows
    return np.asarray((padded @ matrices)[parent, place], float)


def _block_diagonal(blocks: FloatArray) -> FloatArray:
    """Put (E, k, 3, 3) blocks on the diagonals of (E, 3k, 3k) matrices."""
    events, k, size = blocks.shape[:3]
    result = np.zeros((events, k, size, k, size))
    own = np.arange(k)
    result[:, own, :, own, :] = blocks.transpose(1, 0, 2, 3)
    return result.reshape(events, k * size, k * size)


def marginals(assignment: IntArray, weight: FloatArray, sightings: int) -> FloatArray:
    """Sum event weights (B,) into (T, m + 1); the last column is 'missed'."""
    candidates = assignment.shape[1]
    choice = assignment % (sightings + 1)  # MISSED is -1
    place = choice + (sightings + 1) * np.arange(candidates)
    weights = np.broadcast_to(weight[:, None], choice.shape)
    size = candidates * (sightings + 1)
    total = np.asarray(np.bincount(place.ravel(), weights.ravel(), size), float)
    return total.reshape(candidates, sightings + 1)
