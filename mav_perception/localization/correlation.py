"""Successive frames of one camera are correlated: how much of each is new evidence.

What hides a drone from one frame hides it from the next: whether a camera can detect a target is a
hidden state of two values that changes slowly (Markov chain two, Musicki & Evans 2004). A row of
misses then costs little more than one, and a row of detections proves little more than one.

The error of a sighting comes from attitude, light and background, which stay for a while too;
measurements within a correlation time of one another count as about one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.types import FloatArray, IntArray

SHORTEST_INTERVAL = 1e-3
"""Seconds; keeps the noise of two cameras' frames with the same stamp finite."""

OBJECT_CORRELATION = 5.0
"""Errors of a static object stay so much longer than those of a drone: it does not turn, nor does
its background. On MR.CLAM a bearing's are correlated by 0.28 after four seconds, a robot's not."""

HIDDEN_PROBABILITY = 0.02
"""P_D of a target that the camera cannot detect at present: nothing is hidden for certain."""


def correlation(elapsed: float, correlation_time: float) -> float:
    """Return exp(-D / tau), how much of a state is left after D seconds; 0 for tau 0."""
    return float(np.exp(-elapsed / correlation_time)) if correlation_time > 0.0 else 0.0


@dataclass(frozen=True)
class Detectability:
    """How likely a camera can detect each of C candidates now, and what it then sees of them.

    Attributes:
        state: (..., C) b, probability that the candidate is detectable, under each hypothesis.
        visible: (C,) p_v, P_D in view while it is detectable.
    """

    state: FloatArray
    visible: FloatArray

    @classmethod
    def predicted(
        cls,
        state: FloatArray,
        visible: FloatArray,
        overall: FloatArray,
        elapsed: float,
        correlation_time: float,
    ) -> Detectability:
        """Return the detectability after some time without a frame.

        b- = pi + (b - pi) exp(-D / tau), with pi such that pi p_v + (1 - pi) p_h is the P_D that
        counting finds.

        Args:
            state: (..., C) b after the last frame of the camera; NaN for pi.
            visible: (C,) p_v; at least `overall` is taken.
            overall: (C,) mean P_D of the candidate in view.
            elapsed: D, seconds since that frame.
            correlation_time: tau, seconds; 0 makes frames independent.
        """
        visible = np.maximum(visible, overall)
        excess = np.maximum(visible - HIDDEN_PROBABILITY, 1e-6)
        stationary = np.clip((overall - HIDDEN_PROBABILITY) / excess, 0.0, 1.0)
        kept = correlation(elapsed, correlation_time)
        state = np.where(np.isnan(state), stationary, state)
        return cls(stationary + (state - stationary) * kept, visible)

    def of(self, candidates: IntArray) -> Detectability:
        """Return that of some of the candidates."""
        return Detectability(self.state[..., candidates], self.visible[candidates])

    @property
    def probability(self) -> FloatArray:
        """Return (..., C) P_D in view: b p_v + (1 - b) p_h."""
        return self.state * self.visible + (1.0 - self.state) * HIDDEN_PROBABILITY

    @property
    def after_detection(self) -> FloatArray:
        """Return (..., C) b after a detection: b p_v / (b p_v + (1 - b) p_h)."""
        return self.state * self.visible / self.probability

    def after_miss(self, view: FloatArray) -> FloatArray:
        """Return (..., C) b after a miss: b (1 - v p_v) / (1 - v P_D).

        Args:
            view: (..., C) v, probability that the candidate was in view.
        """
        return self.state * (1.0 - view * self.visible) / (1.0 - view * self.probability)


def new_evidence(elapsed: FloatArray | float, correlation_time: float) -> FloatArray:
    """Return the share, 0 to 1, of a frame's evidence that is new: frames within tau count as one.

    Args:
        elapsed: seconds since the last frame of the same camera.
        correlation_time: tau, seconds; 0 makes frames independent.
    """
    if correlation_time == 0.0:
        return np.ones_like(elapsed, float)
    return np.clip(np.asarray(elapsed, float) / correlation_time, 0.0, 1.0)


def new_information(elapsed: FloatArray, correlation_time: FloatArray) -> FloatArray:
    """Return the share (C,), 0 to 1, of what sightings of C candidates tell that is new.

    Errors whose correlation falls as rho = exp(-D / tau) tell, frame after frame, as much as
    independent ones with R (1 + rho) / (1 - rho) would: a share of tanh(D / 2 tau). The first
    sighting of a candidate after long counts fully.

    Args:
        elapsed: (C,) D, seconds since the same camera saw each candidate.
        correlation_time: (C,) tau, seconds; 0 makes errors independent.
    """
    independent = correlation_time == 0.0
    time = np.where(independent, 1.0, correlation_time)
    share = np.tanh(np.maximum(elapsed, SHORTEST_INTERVAL) / (2.0 * time))
    return np.where(independent, 1.0, share)


def independent_share(elapsed: float, correlation_time: float) -> float:
    """Return the share of frames that squared errors count as independent ones.

    The squares of Gaussian errors with correlation rho = exp(-D / tau) have rho^2, so that n of
    them vary together like n (1 - rho^2) / (1 + rho^2).

    Args:
        elapsed: D, seconds between frames of a camera.
        correlation_time: tau, seconds; 0 makes errors independent.
    """
    squared = float(correlation(elapsed, correlation_time)) ** 2
    return (1.0 - squared) / (1.0 + squared)
