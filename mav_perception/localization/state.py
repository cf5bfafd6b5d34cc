"""The joint state: hypotheses over all drones and static objects, and what goes with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mav_perception.localization.hypotheses import JointHypotheses, mixture_moments
from mav_perception.localization.measurement.detection_rates import DetectionRates
from mav_perception.localization.odometry.drift_scale import DriftScale
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.odometry.untold_motion import UntoldMotion
from mav_perception.localization.static_objects.static_objects import StaticObjects
from mav_perception.types import (
    NANOSECONDS,
    NEVER_NS,
    BoolArray,
    FloatArray,
    IntArray,
    TeamState,
    seconds,
)

CONFIRMED = 0.5
"""Existence above which a static object is told to others."""


@dataclass(frozen=True)
class JointState:
    """All that the filter knows at one instant. Frozen, so that going back in time is free.

    Attributes:
        stamp_ns: time of validity.
        hypotheses: weighted Gaussians over drones and static objects.
        anchors: the N odometry rows up to which the motion is in the state.
        active: (N,) drones whose pose is known; only these see and are seen.
        pending: (N,) drones that start where the team file says once their odometry begins.
        drift: how far each VIO drifts, as learned.
        untold: motion since the last odometry of each drone. It is not in the hypotheses.
        rates: detections and false sightings counted per camera.
        objects: what is known of static objects besides their position.
        denied: (cameras, N) part of where each drone may be that misses of each camera have denied
            since it was seen.
        last_scan_ns: (cameras,) stamp of the last scan of each camera, `NEVER_NS` for none.
        last_seen_ns: (cameras, N + O) stamp at which each camera last saw each drone and object.
        last_met_ns: (N,) stamp at which each drone last saw another or was seen, or joined.
    """

    stamp_ns: int
    hypotheses: JointHypotheses
    anchors: OdometryRows
    active: BoolArray
    pending: BoolArray
    drift: DriftScale
    untold: UntoldMotion
    rates: DetectionRates
    objects: StaticObjects
    denied: FloatArray
    last_scan_ns: IntArray
    last_seen_ns: IntArray
    last_met_ns: IntArray

    def since_last_scan(self, camera: int) -> float:
        """Return the seconds since the last scan of a camera."""
        return seconds(self.stamp_ns - int(self.last_scan_ns[camera]))

    def since_last_seen(self, camera: int) -> FloatArray:
        """Return (N + O,) seconds since a camera saw each drone and object."""
        return np.asarray((self.stamp_ns - self.last_seen_ns[camera]) / NANOSECONDS, float)

    @property
    def unmet(self) -> FloatArray:
        """Return (N,) seconds for which each drone saw no other, nor was seen."""
        return np.asarray((self.stamp_ns - self.last_met_ns) / NANOSECONDS, float)

    def seen_in_last_scan(self, camera: int) -> BoolArray:
        """Return (N + O,) whom a camera saw in its last scan."""
        last = self.last_scan_ns[camera]
        return (self.last_seen_ns[camera] == last) & (last != NEVER_NS)

    @property
    def drones(self) -> int:
        """Return the number of drones N."""
        return len(self.anchors)

    @property
    def object_positions(self) -> FloatArray:
        """Return (O, 3) positions of static objects in map, under the heaviest hypothesis."""
        return self.hypotheses.means[0, 4 * self.drones :].reshape(-1, 3)

    @property
    def confirmed(self) -> BoolArray:
        """Return (O,) which static objects are rather there than not."""
        return self.hypotheses.mean_existence > CONFIRMED

    @cached_property
    def silent(self) -> BoolArray:
        """Return (N,) who has moved since its odometry last told of it."""
        return self.untold.silent

    @property
    def told(self) -> JointState:
        """Return it without untold motion: where odometry led, not where sightings followed to."""
        return replace(self, untold=UntoldMotion.none(self.drones))

    @cached_property
    def means_now(self) -> FloatArray:
        """Return the (K, n) means with the motion that no odometry has told of."""
        means = self.hypotheses.means
        if self.silent.any():
            means = means.copy()
            means[:, self._positions] += self.untold.mean.ravel()
        return means

    @cached_property
    def covariances_now(self) -> FloatArray:
        """Return the (K, n, n) covariances with the motion that no odometry has told of."""
        covariances = self.hypotheses.covariances
        if self.silent.any():
            covariances = covariances.copy()
            covariances[:, self._positions, self._positions] += self.untold.variance.ravel()
        return covariances

    @property
    def _positions(self) -> IntArray:
        """Return (3N,) where the positions of the drones stand."""
        return (4 * np.arange(self.drones)[:, None] + np.arange(3)).ravel()

    @cached_property
    def team(self) -> TeamState:
        """Return mean and covariance of the mixture over the drones alone, as of now."""
        size, mixture = 4 * self.drones, self.hypotheses
        mean, covariance = mixture_moments(
            mixture.weights,
            self.means_now[:, :size],
            self.covariances_now[:, :size, :size],
            self.drones,
        )
        return TeamState(self.stamp_ns, mean.reshape(-1, 4), covariance)


def initial_state(
    stamp_ns: int, start: FloatArray, start_sigma: FloatArray, cameras: int
) -> JointState:
    """Return a state of one hypothesis without objects, in which no drone has joined yet.

    Args:
        stamp_ns: when.
        start: (N, 4) poses where the odometry of each drone begins.
        start_sigma: (N, 4) their standard deviations; NaN for a drone whose start is not known.
        cameras: how many the team carries.
    """
    count = len(start)
    known = np.asarray(np.isfinite(start_sigma).all(axis=1))
    sigma = np.where(known[:, None], start_sigma, 1.0)
    # A micrometre keeps the gauge drone, whose start is exact, regular.
    covariance = np.diag(np.maximum(sigma.ravel(), 1e-6) ** 2)
    only = JointHypotheses(
        weights=np.ones(1),
        means=start.ravel().astype(float)[None],
        covariances=covariance[None],
        existence=np.zeros((1, 0)),
        detectable=np.full((1, cameras, count), np.nan),
    )
    nobody = np.zeros(count, bool)
    return JointState(
        stamp_ns=stamp_ns,
        hypotheses=only,
        anchors=OdometryRows.zeros(count),
        active=nobody,
        pending=known,
        drift=DriftScale.unknown(count, cameras),
        untold=UntoldMotion.none(count),
        rates=DetectionRates.empty(cameras),
        objects=StaticObjects.empty(),
        denied=np.zeros((cameras, count)),
        last_scan_ns=np.full(cameras, NEVER_NS, np.int64),
        last_seen_ns=np.full((cameras, count), NEVER_NS, np.int64),
        last_met_ns=np.full(count, NEVER_NS, np.int64),
    )
