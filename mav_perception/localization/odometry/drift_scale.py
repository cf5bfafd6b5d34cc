"""How far each VIO drifts against what the parameters say, as learned in flight."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import ProcessNoiseParameters
from mav_perception.types import BoolArray, FloatArray

SCALES = 2.0 ** (np.arange(-8, 9) / 2.0)
"""Drift that is considered, as a factor on the parameters."""

PRIOR_OCTAVES = 1.0
"""Standard deviation of log2 of the factor before anything is known."""

SLIP = 4
"""Steps of `SCALES` by which a VIO that slips is worse than usual: four times."""

SLIP_PROBABILITY = 0.02
"""A VIO slips in so many intervals; else a single slip would tell of drift for ever."""


COMPARED = 10.0
"""Seconds over which odometry is compared with what was seen, at most."""

MEMORY = 100.0
"""Intervals after which the past fades: light and room change, and the VIO with them."""


@dataclass(frozen=True)
class PastTeam:
    """Where the team was some time ago, to compare with where odometry has led it since.

    Attributes:
        stamp_ns: when.
        mean, covariance: (N, 4) and (4N, 4N) of the mixture over the drones.
        anchors: the N odometry rows then.
        known: (N,) whose pose was known, and its odometry up to date.
    """

    stamp_ns: int
    mean: FloatArray
    covariance: FloatArray
    anchors: OdometryRows
    known: BoolArray


@dataclass(frozen=True)
class DriftScale:
    """Evidence on the drift of each drone's odometry, and what follows from it.

    Attributes:
        log_likelihood: (N, S) of what the cameras saw, by each drone and each of `SCALES`.
        past: of each camera where the team was seconds ago, to learn by; None for not known.
    """

    log_likelihood: FloatArray
    past: tuple[PastTeam | None, ...]

    @classmethod
    def unknown(cls, drones: int, cameras: int) -> DriftScale:
        """Return what is known before the first flight: the parameters."""
        return cls(np.zeros((drones, len(SCALES))), (None,) * cameras)

    @cached_property
    def scale(self) -> FloatArray:
        """Return the (N,) factors on the noise of the odometry, the geometric posterior means."""
        octaves = np.log2(SCALES)
        log_posterior = self.log_likelihood - 0.5 * (octaves / PRIOR_OCTAVES) ** 2
        weight = np.exp(log_posterior - log_posterior.max(axis=1, keepdims=True))
        return np.asarray(2.0 ** (weight @ octaves / weight.sum(axis=1)))

    def applied(self, parameters: ProcessNoiseParameters, unmet: FloatArray) -> FloatArray:
        """Return the (N,) factors that hold: 1 unless they are to be learned.

        What was learned over seconds holds for seconds. An error that is the same all the way,
        such as that of the radius of a wheel or of the scale of a map, hardly shows there, and
        over minutes it does not average out as a random walk does. A factor below 1 therefore
        returns to 1, s + (1 - s) (1 - exp(-t / `COMPARED`)).

        Args:
            parameters: `learn_drift`.
            unmet: (N,) t, seconds for which each drone saw no other nor was seen.
        """
        if not parameters.learn_drift:
            return np.ones(len(self.log_likelihood))
        faded = -np.expm1(-np.maximum(unmet, 0.0) / COMPARED)
        return np.asarray(self.scale + np.maximum(1.0 - self.scale, 0.0) * faded)

    def learned(self, log_likelihood: FloatArray) -> DriftScale:
        """Return it with the (N, S) log likelihoods of one interval more.

        In some intervals a VIO slips: p = (1 - e) p(s) + e p(4 s).
        """
        slipped = np.minimum(np.arange(len(SCALES)) + SLIP, len(SCALES) - 1)
        usual, slip = np.log1p(-SLIP_PROBABILITY), np.log(SLIP_PROBABILITY)
        robust = np.logaddexp(usual + log_likelihood, slip + log_likelihood[:, slipped])
        told = np.ptp(log_likelihood, axis=1, keepdims=True) > 0.0
        faded = np.where(told, 1.0 - 1.0 / MEMORY, 1.0) * self.log_likelihood
        return replace(self, log_likelihood=np.where(told, faded + robust, faded))

    def with_past(self, camera: int, team: PastTeam) -> DriftScale:
        """Return it with what the next scans of a camera are compared with."""
        return replace(self, past=(*self.past[:camera], team, *self.past[camera + 1 :]))

    def without_past(self) -> DriftScale:
        """Return it with nothing to compare with: a pose has changed that no odometry moved."""
        return replace(self, past=(None,) * len(self.past))
