"""The joint state: weighted Gaussian hypotheses over all drones and static objects.

One hypothesis is the plain CPDAF. State vectors hold (x, y, z, yaw) of every drone, then (x, y, z)
of every anonymous static object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.localization.measurement.detection_rates import DetectionRates
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.static_objects.static_objects import StaticObjects
from mav_perception.types import (
    NEVER_NS,
    BoolArray,
    FloatArray,
    IntArray,
    TeamState,
    seconds,
)


@dataclass(frozen=True)
class JointHypothesis:
    """One Gaussian explanation of everything seen so far.

    Attributes:
        weight: its probability among the hypotheses.
        mean: (n,) with n = 4N + 3O, metres and radians in `map`.
        covariance: (n, n).
        existence: (O,) probability that each static object is there.
        detectable: (cameras, N + O) probability that each camera can detect each drone and object,
            after its last scan; NaN where nothing is known yet.
    """

    weight: float
    mean: FloatArray
    covariance: FloatArray
    existence: FloatArray
    detectable: FloatArray


@dataclass(frozen=True)
class JointState:
    """All that the filter knows at one instant. Frozen, so that going back in time is free.

    Attributes:
        stamp_ns: time of validity.
        hypotheses: the heaviest first, weights sum to 1.
        anchors: the N odometry rows up to which the motion is in the state.
        active: (N,) drones whose pose is known; only these see and are seen.
        pending: (N,) drones that start where the team file says once their odometry begins.
        corrected: (N,) drones seen since their odometry ceased.
        rates: detections and false sightings counted per camera.
        objects: what is known of static objects besides their position.
        last_scan_ns: (cameras,) stamp of the last scan of each camera, `NEVER_NS` for none.
    """

    stamp_ns: int
    hypotheses: tuple[JointHypothesis, ...]
    anchors: OdometryRows
    active: BoolArray
    pending: BoolArray
    corrected: BoolArray
    rates: DetectionRates
    objects: StaticObjects
    last_scan_ns: IntArray

    def since_last_scan(self, camera: int) -> float:
        """Return the seconds since the last scan of a camera."""
        return seconds(self.stamp_ns - int(self.last_scan_ns[camera]))

    @property
    def drones(self) -> int:
        """Return the number of drones N."""
        return len(self.anchors)

    @property
    def object_positions(self) -> FloatArray:
        """Return (O, 3) positions of static objects in map, under the heaviest hypothesis."""
        return self.hypotheses[0].mean[4 * self.drones :].reshape(-1, 3)

    @cached_property
    def team(self) -> TeamState:
        """Return mean and covariance of the mixture over the drones alone."""
        size = 4 * self.drones
        weights = np.array([h.weight for h in self.hypotheses])
        means = np.array([h.mean[:size] for h in self.hypotheses])
        covariances = np.array([h.covariance[:size, :size] for h in self.hypotheses])
        mean, covariance = mixture_moments(weights, means, covariances, self.drones)
        return TeamState(self.stamp_ns, mean.reshape(-1, 4), covariance)


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
    """Return a state vector with the yaw of every drone in (-pi, pi]."""
    result = mean.copy()
    yaw = slice(3, 4 * drones, 4)
    result[yaw] = wrap_angle(result[yaw])
    return result


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
    only = JointHypothesis(
        weight=1.0,
        mean=start.ravel().astype(float),
        covariance=covariance,
        existence=np.zeros(0),
        detectable=np.full((cameras, count), np.nan),
    )
    nobody = np.zeros(count, bool)
    return JointState(
        stamp_ns=stamp_ns,
        hypotheses=(only,),
        anchors=OdometryRows.zeros(count),
        active=nobody,
        pending=known,
        corrected=nobody,
        rates=DetectionRates.empty(cameras, count),
        objects=StaticObjects.empty(cameras),
        last_scan_ns=np.full(cameras, NEVER_NS, np.int64),
    )


def join_started(
    state: JointState, first_rows: Sequence[OdometryRows | None], at_origin: Sequence[bool]
) -> JointState:
    """Let pending drones in whose odometry has begun.

    Args:
        state: joint state.
        first_rows: of the odometry of each drone, None before it has begun.
        at_origin: of which drones the start pose holds at the origin of the odometry; of the
            others it holds at these rows. Empty for none.
    """
    joining = [
        drone
        for drone in np.flatnonzero(state.pending).tolist()
        if (row := first_rows[drone]) is not None and row.stamps <= state.stamp_ns
    ]
    if not joining:
        return state
    active, pending = state.active.copy(), state.pending.copy()
    active[joining], pending[joining] = True, False
    anchors = state.anchors
    for drone in joining:
        row = first_rows[drone]
        assert row is not None
        anchored = row.at_origin() if at_origin and at_origin[drone] else row
        anchors = anchors.with_row(drone, anchored)
    return replace(state, anchors=anchors, active=active, pending=pending)


def without_drone(state: JointState, drone: int) -> JointState:
    """Take a drone out whose pose is lost; what it tied together stays in the covariance."""
    active = state.active.copy()
    active[drone] = False
    return replace(state, active=active)


def with_drone(
    state: JointState, drone: int, pose: FloatArray, covariance: FloatArray, anchor: OdometryRows
) -> JointState:
    """Put a drone in at a pose that is independent of all others.

    Args:
        state: joint state.
        drone: which.
        pose: (4,) in map at the time of `anchor`.
        covariance: (4, 4).
        anchor: its odometry row there.
    """
    own = slice(4 * drone, 4 * drone + 4)
    hypotheses = []
    for h in state.hypotheses:
        mean, joint = h.mean.copy(), h.covariance.copy()
        mean[own] = pose
        joint[own], joint[:, own] = 0.0, 0.0
        joint[own, own] = covariance
        hypotheses.append(replace(h, mean=mean, covariance=joint))
    active, corrected = state.active.copy(), state.corrected.copy()
    active[drone], corrected[drone] = True, False
    return replace(
        state,
        hypotheses=tuple(hypotheses),
        active=active,
        anchors=state.anchors.with_row(drone, anchor),
        corrected=corrected,
    )
