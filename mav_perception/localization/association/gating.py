"""Validation gate: which sighting can belong to which candidate."""

from __future__ import annotations

from typing import cast

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import chdtri

from mav_perception.types import BoolArray, FloatArray, IntArray

MEASUREMENT_SIZE = 3
"""Two tangent coordinates of the bearing, and the log range."""


def gate_threshold(gate_probability: float) -> float:
    """Return the chi-square quantile gamma such that a true sighting has nu' S^-1 nu < gamma."""
    return float(chdtri(MEASUREMENT_SIZE, 1.0 - gate_probability))


def mahalanobis(
    innovations: FloatArray, spread: FloatArray, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return squared distances nu' S^-1 nu and log det S, both (T, m), with S = H P H' + R_j.

    Args:
        innovations: (T, m, 3).
        spread: (T, 3, 3) covariances H P H' of the candidates.
        noise: (m, 3, 3) covariances R of the sightings.
    """
    covariance = spread[:, None] + noise[None]
    solved = np.linalg.solve(covariance, innovations[..., None])[..., 0]
    distance = np.sum(innovations * solved, axis=-1)
    return distance, cast(FloatArray, np.linalg.slogdet(covariance)[1])


def validation_gate(distance: FloatArray, gate_probability: float) -> BoolArray:
    """Return (T, m): the sighting lies in the gate of the candidate."""
    return distance < gate_threshold(gate_probability)


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
