"""Validation gate: which sighting can belong to which candidate."""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy.special import chdtri

from mav_perception.localization.measurement.observation import MEASUREMENT_SIZE
from mav_perception.types import BoolArray, FloatArray, IntArray

LOG_NORMALIZER = MEASUREMENT_SIZE * float(np.log(2.0 * np.pi)) / 2.0
"""Of a normal density, besides its covariance."""


def gate_threshold(gate_probability: float) -> float:
    """Return the chi-square quantile gamma such that a true sighting has nu' S^-1 nu < gamma."""
    return float(chdtri(MEASUREMENT_SIZE, 1.0 - gate_probability))


def innovation_likelihood(
    innovations: FloatArray, predicted_covariance: FloatArray, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return nu' S^-1 nu and log N(nu; 0, S), both (..., T, m), with the innovation covariance S.

    S = H P H' + R_j of candidate and sighting.

    Args:
        innovations: (..., T, m, 3).
        predicted_covariance: (..., T, 3, 3) H P H' of the candidates.
        noise: (m, 3, 3) covariances R of the sightings.
    """
    innovation_covariance = predicted_covariance[..., None, :, :] + noise
    root = np.linalg.cholesky(innovation_covariance)
    # Forward substitution by hand: for 3x3, LAPACK's overhead is most of the time.
    x = innovations[..., 0] / root[..., 0, 0]
    y = (innovations[..., 1] - root[..., 1, 0] * x) / root[..., 1, 1]
    z = (innovations[..., 2] - root[..., 2, 0] * x - root[..., 2, 1] * y) / root[..., 2, 2]
    diagonal = root[..., 0, 0] * root[..., 1, 1] * root[..., 2, 2]
    squared = x**2 + y**2 + z**2
    return squared, cast(FloatArray, -0.5 * squared - np.log(diagonal) - LOG_NORMALIZER)


def validation_gate(squared: FloatArray, gate_probability: float) -> BoolArray:
    """Return (..., T, m): the sighting lies in the gate, nu' S^-1 nu < gamma."""
    return squared < gate_threshold(gate_probability)


def gate_clusters(inside: BoolArray) -> list[tuple[IntArray, IntArray]]:
    """Split the gate graph into its connected parts: (candidates, sightings) of each.

    Args:
        inside: (T, m) the sighting lies in the gate of the candidate.
    """
    if not inside.any():
        return []
    # Whoever shares a sighting is together, and whoever is together with the same: squared until
    # it holds for paths of any length. scipy's connected_components takes longer for so few.
    together = (inside.astype(float) @ inside.T) > 0.0
    for _ in range(len(inside).bit_length()):
        together = (together.astype(float) @ together) > 0.0
    leader = together.argmax(axis=1)
    clusters = []
    for first in np.unique(leader[inside.any(axis=1)]).tolist():
        who = np.flatnonzero(leader == first)
        clusters.append((who, np.flatnonzero(inside[who].any(axis=0))))
    return clusters
