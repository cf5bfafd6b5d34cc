"""Validation gate: which sighting can belong to which candidate."""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import chdtri

from mav_perception.localization.measurement.observation import MEASUREMENT_SIZE
from mav_perception.types import BoolArray, FloatArray, IntArray


def gate_threshold(gate_probability: float) -> float:
    """Return the chi-square quantile gamma such that a true sighting has nu' S^-1 nu < gamma."""
    return float(chdtri(MEASUREMENT_SIZE, 1.0 - gate_probability))


def squared_mahalanobis(
    innovations: FloatArray, predicted_covariance: FloatArray, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return nu' S^-1 nu and log det S, both (T, m), with the innovation covariance S.

    S = H P H' + R_j of candidate and sighting.

    Args:
        innovations: (T, m, 3).
        predicted_covariance: (T, 3, 3) H P H' of the candidates.
        noise: (m, 3, 3) covariances R of the sightings.
    """
    innovation_covariance = predicted_covariance[:, None] + noise[None]
    solved = np.linalg.solve(innovation_covariance, innovations[..., None])[..., 0]
    squared = np.sum(innovations * solved, axis=-1)
    return squared, cast(FloatArray, np.linalg.slogdet(innovation_covariance)[1])


def validation_gate(squared: FloatArray, gate_probability: float) -> BoolArray:
    """Return (T, m): the sighting lies in the gate, nu' S^-1 nu < gamma."""
    return squared < gate_threshold(gate_probability)


def gate_clusters(inside: BoolArray) -> list[tuple[IntArray, IntArray]]:
    """Split the gate graph into its connected parts: (candidates, sightings) of each.

    Args:
        inside: (T, m) the sighting lies in the gate of the candidate.
    """
    targets, sightings = inside.shape
    graph = np.zeros((targets + sightings, targets + sightings), bool)
    graph[:targets, targets:] = inside
    number, label = connected_components(graph, directed=False)
    parts = [
        (np.flatnonzero(label[:targets] == i), np.flatnonzero(label[targets:] == i))
        for i in range(number)
    ]
    return [(who, which) for who, which in parts if len(who) and len(which)]
