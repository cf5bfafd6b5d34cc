"""Weighted Gaussian hypotheses over the poses of all drones and the places of static objects.

One hypothesis is the plain CPDAF. State vectors hold (x, y, z, yaw) of every drone, then (x, y, z)
of every anonymous static object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class JointHypotheses:
    """K weighted Gaussian explanations of everything seen so far, the heaviest first.

    Attributes:
        weights: (K,) probabilities, sum 1.
        means: (K, n) with n = 4N + 3O, metres and radians in `map`.
        covariances: (K, n, n).
        existence: (K, O) probability that each static object is there.
        detectable: (K, cameras, N + O) probability that each camera can detect each drone and
            object, after its last scan; NaN where nothing is known yet.
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    existence: FloatArray
    detectable: FloatArray

    def __len__(self) -> int:
        """Return the number of hypotheses K."""
        return len(self.weights)

    @property
    def mean_existence(self) -> FloatArray:
        """Return (O,) probability that each static object is there, over all hypotheses."""
        return self.weights @ self.existence

    def taken(self, index: IntArray, weights: FloatArray | None = None) -> JointHypotheses:
        """Return copies of some of the hypotheses, with their weights or others (len(index),)."""
        weights = self.weights[index] if weights is None else weights
        return JointHypotheses(
            weights=weights / weights.sum(),
            means=self.means[index],
            covariances=self.covariances[index],
            existence=self.existence[index],
            detectable=self.detectable[index],
        )

    def without_objects(self, gone: BoolArray) -> JointHypotheses:
        """Return the hypotheses without some of the static objects (O,)."""
        drones = self.detectable.shape[2] - len(gone)
        stays = np.concatenate([np.ones(4 * drones, bool), np.repeat(~gone, 3)])
        return replace(
            self,
            means=self.means[:, stays],
            covariances=self.covariances[:, stays][:, :, stays],
            existence=self.existence[:, ~gone],
            detectable=self.detectable[:, :, np.append(np.ones(drones, bool), ~gone)],
        )


def difference(means: FloatArray, reference: FloatArray, drones: int) -> FloatArray:
    """Return (K, n) differences of state vectors, yaw wrapped."""
    delta = means - reference
    yaw = slice(3, 4 * drones, 4)
    delta[..., yaw] = wrap_angle(delta[..., yaw])
    return delta


def mixture_moments(
    weights: FloatArray, means: FloatArray, covariances: FloatArray, drones: int
) -> tuple[FloatArray, FloatArray]:
    """Return mean (n,) and covariance (n, n) of a mixture of K Gaussians, weights normalised."""
    share = weights / weights.sum()
    delta = difference(means, means[0], drones)
    shift = share @ delta
    centred = delta - shift
    covariance = np.tensordot(share, covariances, 1) + (share[:, None] * centred).T @ centred
    return wrapped(means[0] + shift, drones), (covariance + covariance.T) / 2.0


def wrapped(mean: FloatArray, drones: int) -> FloatArray:
    """Return state vectors (..., n) with the yaw of every drone in (-pi, pi]."""
    result = mean.copy()
    yaw = slice(3, 4 * drones, 4)
    result[..., yaw] = wrap_angle(result[..., yaw])
    return result
