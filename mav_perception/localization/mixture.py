"""Measurement update: the moments of the Gaussian mixture over all joint association events.

For an event theta that detects the set D, with H_D, R_D and nu stacked,
    Q_D = H_D P H_D' + R_D,   K_D = P H_D' Q_D^-1,
    w_theta ~ prod_{b in D} P_D,b prod_{b not in D} (1 - P_D,b P_G) lambda^(m - |D|) N(nu; 0, Q_D),
    x+ = x + d,   d = sum_theta w K_D nu,
    P+ = P - sum_theta w K_D H_D P + sum_theta w K_D nu (K_D nu)' - d d'.
Q_D uses the full joint P: that is what makes the filter coupled (Blom & Bloem 2000).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.association import MISSED, AssociationEvents
from mav_perception.localization.gating import MEASUREMENT_SIZE
from mav_perception.types import FloatArray, IntArray


@dataclass(frozen=True)
class DetectionModel:
    """Numbers that weigh events.

    Attributes:
        probability: (T,) P_D of every candidate.
        gate_probability: P_G.
        clutter_density: lambda, per unit of measurement volume.
    """

    probability: FloatArray
    gate_probability: float
    clutter_density: float

    @property
    def log_detected(self) -> FloatArray:
        """Return (T,) log of P_D / lambda."""
        tiny = np.finfo(float).tiny
        return np.log(np.maximum(self.probability, tiny)) - np.log(self.clutter_density)

    @property
    def log_missed(self) -> FloatArray:
        """Return (T,) log of 1 - P_D P_G."""
        return np.log(1.0 - self.probability * self.gate_probability)


@dataclass(frozen=True)
class Posterior:
    """Result of one update.

    Attributes:
        shift: (n,) d, to be added to the mean.
        covariance: (n, n) P+.
        weight: (E,) normalised weights of the events, in the order given.
        marginal: (T, m + 1) marginal association probabilities; the last column is 'missed'.
        nis: normalised innovation squared of the most likely event.
        nis_size: its degrees of freedom, 0 if nothing was detected.
    """

    shift: FloatArray
    covariance: FloatArray
    weight: FloatArray
    marginal: FloatArray
    nis: float
    nis_size: int


def mixture_update(
    covariance: FloatArray,
    jacobians: FloatArray,
    innovations: FloatArray,
    noise: FloatArray,
    events: AssociationEvents,
    model: DetectionModel,
) -> Posterior:
    """Merge all events into one Gaussian with the mixture's exact mean and covariance.

    Args:
        covariance: (n, n) prior P.
        jacobians: (T, 3, n) H of every candidate.
        innovations: (T, m, 3) nu of every pair.
        noise: (m, 3, 3) R of every sighting.
        events: (E, T) joint association events.
        model: P_D, P_G and clutter density.
    """
    sightings = innovations.shape[1]
    size = len(covariance)
    stacked = jacobians.reshape(-1, size)
    cross = covariance @ stacked.T  # P H' for all candidates at once
    spread = stacked @ cross
    assignment = events.assignment
    detected = assignment != MISSED
    number = detected.sum(axis=1)

    # lambda^m is the same for all events and left out.
    log_weight = np.where(detected, model.log_detected, model.log_missed).sum(axis=1)
    distance = np.zeros(len(assignment))
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
        total = spread[rows[:, :, None], rows[:, None, :]] + _block_diagonal(noise[which])
        gained = cross.T[rows]  # (E_k, 3k, n)
        solved = np.linalg.solve(total, np.concatenate([innovation[..., None], gained], axis=2))
        distance[index] = np.einsum('ei,ei->e', innovation, solved[..., 0])
        log_weight[index] -= 0.5 * (
            distance[index]
            + np.linalg.slogdet(total)[1]
            + MEASUREMENT_SIZE * k * np.log(2.0 * np.pi)
        )
        groups.append((index, gained, solved, np.einsum('ein,ei->en', gained, solved[..., 0])))

    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    shift, second, reduction = np.zeros(size), np.zeros((size, size)), np.zeros((size, size))
    for index, gained, solved, event_shift in groups:
        share = weight[index]
        shift += share @ event_shift
        second += (share[:, None] * event_shift).T @ event_shift
        weighted = (share[:, None, None] * gained).reshape(-1, size)
        reduction += weighted.T @ solved[..., 1:].reshape(-1, size)
    posterior = covariance - reduction + second - np.outer(shift, shift)
    best = int(np.argmax(weight))
    return Posterior(
        shift=shift,
        covariance=(posterior + posterior.T) / 2.0,
        weight=weight,
        marginal=_marginals(assignment, weight, sightings),
        nis=float(distance[best]),
        nis_size=MEASUREMENT_SIZE * int(number[best]),
    )


def _block_diagonal(blocks: FloatArray) -> FloatArray:
    """Put (E, k, 3, 3) blocks on the diagonals of (E, 3k, 3k) matrices."""
    events, k, size = blocks.shape[:3]
    result = np.zeros((events, k, size, k, size))
    for index in range(k):
        result[:, index, :, index, :] = blocks[:, index]
    return result.reshape(events, k * size, k * size)


def _marginals(assignment: IntArray, weight: FloatArray, sightings: int) -> FloatArray:
    """Sum event weights into (T, m + 1); -1 indexes the last column, which is 'missed'."""
    candidates = assignment.shape[1]
    marginal = np.zeros((candidates, sightings + 1))
    for row in range(candidates):
        marginal[row] = np.bincount(
            assignment[:, row] % (sightings + 1), weight, minlength=sightings + 1
        )
    return marginal
