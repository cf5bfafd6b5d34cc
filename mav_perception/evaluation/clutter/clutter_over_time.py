"""False sightings come in bursts: a deep Poisson model of how many a camera sees in each frame.

A convolutional deep exponential family (Hong & Shelton, arXiv 2110.14800) with two hidden layers
of gamma variables over time, and kernels that are the same at all times, which is the tie:

    u_t ~ Gamma(top_shape), mean 1                             what the surroundings are like
    z_t ~ Gamma(shape), mean  sum_k v_k u_{t-k}                how a frame turns out
    n_t ~ Poisson(rate sum_k w_k z_{t-k})                      false sightings in a frame

Kernels fall off exponentially, v_k = (1 - a) a^k with a = top_memory and w likewise with memory.
Each convolution is then a recursion, so that the model runs along with the flight; its belief is a
set of particles, and five numbers are all there is to fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from mav_perception.types import FloatArray

PARTICLES = 200


@dataclass(frozen=True)
class ClutterBelief:
    """What is believed of a camera after its frames so far: equally likely particles.

    Attributes:
        slow: (N,) sum_k v_k u_{t-k} of each.
        fast: (N,) sum_k w_k z_{t-k} of each.
        frames: number of frames that were counted; it also seeds the next draw, so that going
            back in time and forth again gives the same.
    """

    slow: FloatArray
    fast: FloatArray
    frames: int = 0

    @classmethod
    def empty(cls, particles: int = PARTICLES) -> ClutterBelief:
        """Begin where the surroundings are as usual."""
        return cls(np.ones(particles), np.ones(particles))


@dataclass(frozen=True)
class ClutterOverTime:
    """The model.

    Attributes:
        rate: mean number of false sightings in a frame.
        top_shape, shape: of the gamma variables; the larger, the steadier.
        top_memory, memory: share of a layer's state that is left after a frame, 0 to 1.
    """

    rate: float
    top_shape: float
    shape: float
    top_memory: float
    memory: float

    def expected(self, belief: ClutterBelief) -> float:
        """Return the mean number of false sightings in the next frame."""
        slow = self.top_memory * belief.slow + (1.0 - self.top_memory)
        fast = self.memory * belief.fast + (1.0 - self.memory) * slow
        return float(self.rate * fast.mean())

    def observed(self, belief: ClutterBelief, count: float) -> tuple[ClutterBelief, float]:
        """Return the belief after a frame, and how well the frame was predicted.

        Args:
            belief: before the frame.
            count: false sightings in it; a fraction where the filter is in doubt.

        Returns:
            The new belief and log p(count | frames before).
        """
        rng = np.random.default_rng(belief.frames)
        number = len(belief.slow)
        top = rng.standard_gamma(self.top_shape, number) / self.top_shape
        slow = self.top_memory * belief.slow + (1.0 - self.top_memory) * top
        middle = rng.standard_gamma(self.shape, number) / self.shape * slow
        fast = self.memory * belief.fast + (1.0 - self.memory) * middle
        mean = np.maximum(self.rate * fast, 1e-9)
        log_weight = count * np.log(mean) - mean - gammaln(count + 1.0)
        largest = log_weight.max()
        weight = np.exp(log_weight - largest)
        evidence = float(largest + np.log(weight.mean()))
        # Systematic resampling.
        marks = (rng.random() + np.arange(number)) / number * weight.sum()
        chosen = np.minimum(np.searchsorted(weight.cumsum(), marks), number - 1)
        return ClutterBelief(slow[chosen], fast[chosen], belief.frames + 1), evidence

    def log_likelihood(self, counts: FloatArray) -> float:
        """Return log p of the (T,) counts of one camera's frames, in order."""
        belief, total = ClutterBelief.empty(), 0.0
        for count in counts:
            belief, evidence = self.observed(belief, float(count))
            total += evidence
        return total
