"""Drones that are not where the filter has them: one more origin of a sighting of nobody known.

A wrong association long ago, a robot that somebody carried, a VIO that failed unnoticed: then a
drone is seen where nobody is known to be, or sees somebody where nobody is. Such a sighting is
clutter, the first of a static object, or, seldom, of or by a drone that is anywhere else. For that
the mixture gets hypotheses, one for each quarter that the drone may look to: the frames that
follow confirm one of them, or forget them all.

With p the probability that a drone is elsewhere, its sightings have density p P_D / V in the
volume V of the room, false ones lambda: the hypotheses weigh p P_D / (lambda V), times the
likelihood ratio of the score. Both densities are taken to be even over the room.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from mav_perception.geometry import wrap_angle
from mav_perception.localization.correlation import new_evidence
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import measurement_noise
from mav_perception.localization.measurement.score import score_log_ratio
from mav_perception.localization.measurement.sighting_positions import (
    sighting_in_map,
    sighting_positions,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.types import FloatArray

QUARTERS = np.pi / 2.0 * np.arange(4)
YAW_VARIANCE = (np.pi / 2.0) ** 2 / 12.0
"""Of a yaw anywhere in a quarter, square radians."""

MIN_UNSEEN, MAX_UNSEEN = 2.0, 30.0
"""Seconds without meeting another after which a drone may be elsewhere, and that count at most."""

MIN_UNEXPLAINED = 0.3
"""Only a sighting that is likelier than this of nobody known may tell of a displaced drone."""

MAX_TRIED = 3
"""Displacements tried after a scan, drawn at random: the next scans try the others."""

ROOM = 2.0
"""Volume of the room, in fields of view."""

OUTLIER_RATE = 0.05
"""Sightings in a frame of drones that are where the filter has them, but far outside a gate."""


@dataclass(frozen=True)
class Displacement:
    """A drone that is elsewhere: it gave the sighting, or it saw another drone there."""

    displaced: int
    seen: int


@dataclass(frozen=True)
class Placement:
    """Where a sighting puts a drone for each of four yaws, or one for all where that is the same.

    Attributes:
        position: (4, 3).
        cross_covariance: (3, n) of the position with the rest of the state.
        covariance: (4, 3, 3) of the position.
        by_yaw: (4, 3) covariance of the position with the yaw of the drone.
    """

    position: FloatArray
    cross_covariance: FloatArray
    covariance: FloatArray
    by_yaw: FloatArray


def with_displaced_drones(
    state: JointState,
    scan: CameraScan,
    unexplained: FloatArray,
    elapsed: float,
    parameters: FilterParameters,
) -> tuple[JointState, FloatArray]:
    """Return the state with hypotheses in which a drone is not where the filter has it.

    While a drone has no pose, a sighting of nobody known is rather of that drone: none are added.

    Args:
        state: after the update with the scan.
        scan: the camera scan.
        unexplained: (K, m) probability under each hypothesis that no candidate gave the sighting.
        elapsed: seconds since the scan before of the same camera.
        parameters: `displacement_rate`.

    Returns:
        the state, and `unexplained` under all its hypotheses.
    """
    never = parameters.max_hypotheses == 1 or not parameters.displacement_rate
    weights = state.hypotheses.weights
    mean = weights @ unexplained
    if never or mean.max(initial=0.0) < MIN_UNEXPLAINED:
        return state, unexplained
    possible = possible_displacements(state, scan)
    if not possible:
        return state, unexplained
    sighting = int(mean.argmax())
    base = int((weights * unexplained[:, sighting]).argmax())
    score = float(np.exp(score_log_ratio(scan.sightings.score, parameters)[sighting]))
    odds = _displaced_odds(state, scan, elapsed, parameters) * score * unexplained[base, sighting]
    parts = [state.hypotheses]
    # At random, but the same when a frame is repeated, and at any time of day.
    alone_ns = state.stamp_ns - int(state.last_met_ns[possible[0].displaced])
    for index in np.random.default_rng(alone_ns).permutation(len(possible))[:MAX_TRIED]:
        displacement = possible[index]
        weight = float(weights[base] * odds[displacement.displaced]) / len(QUARTERS)
        parts.append(_displaced(state.hypotheses, base, scan, sighting, displacement, weight))
    told = unexplained[base].copy()
    told[sighting] = 0.0
    added = np.tile(told, (sum(map(len, parts[1:])), 1))
    return replace(state, hypotheses=_joined(parts)), np.concatenate([unexplained, added])


def _displaced_odds(
    state: JointState, scan: CameraScan, elapsed: float, parameters: FilterParameters
) -> FloatArray:
    """Return (N,) odds that an unexplained sighting tells of each drone elsewhere, not of clutter.

    p P_D / (lambda V), as far as the scan is new evidence after the one before. Where there is no
    clutter an unexplained sighting is rather one that lies far outside its gate.
    """
    alone = np.minimum(state.unmet, MAX_UNSEEN)
    rates, camera = state.rates, scan.camera
    of_nobody = rates.clutter_per_frame(camera, parameters) + OUTLIER_RATE
    ratio = rates.detection_probability(camera, parameters) / (ROOM * of_nobody)
    new = new_evidence(elapsed, parameters.detection_correlation)
    return np.asarray(parameters.displacement_rate * alone * ratio * new, float)


def possible_displacements(state: JointState, scan: CameraScan) -> list[Displacement]:
    """Return who may be elsewhere, given a sighting of nobody known.

    The first drone is where it is: it carries the map, and the others are elsewhere from it. Who
    sends no odometry may have gone anywhere, and is not compared.
    """
    told = state.active & ~state.silent
    if not (state.active | state.pending).all() or not told[scan.observer]:
        return []
    alone = told & (state.unmet > MIN_UNSEEN)
    alone[0] = False
    others = [d for d in np.flatnonzero(told).tolist() if d != scan.observer]
    result = [Displacement(drone, drone) for drone in others if alone[drone]]
    if alone[scan.observer]:
        result += [Displacement(scan.observer, drone) for drone in others]
    return result


def _displaced(
    hypotheses: JointHypotheses,
    base: int,
    scan: CameraScan,
    sighting: int,
    displacement: Displacement,
    weight: float,
) -> JointHypotheses:
    """Return one hypothesis four times, with a drone put where a sighting says.

    Args:
        hypotheses: of the mixture.
        base: which of them.
        scan: the camera scan.
        sighting: which of its sightings.
        displacement: whose it is.
        weight: of each.
    """
    drone, count = displacement.displaced, len(QUARTERS)
    mean, covariance = hypotheses.means[base].copy(), hypotheses.covariances[base].copy()
    yaw = 4 * drone + 3
    own, place = slice(4 * drone, yaw + 1), slice(4 * drone, yaw)
    covariance[own], covariance[:, own] = 0.0, 0.0
    put = _placement(mean, covariance, scan, sighting, displacement)
    means = np.repeat(mean[None], count, axis=0)
    means[:, place], means[:, yaw] = put.position, wrap_angle(QUARTERS)
    covariances = np.repeat(covariance[None], count, axis=0)
    covariances[:, place], covariances[:, :, place] = put.cross_covariance, put.cross_covariance.T
    covariances[:, place, place] = put.covariance
    covariances[:, place, yaw] = covariances[:, yaw, place] = put.by_yaw
    covariances[:, yaw, yaw] = YAW_VARIANCE
    detectable = np.repeat(hypotheses.detectable[base][None], count, axis=0)
    detectable[:, scan.camera, displacement.seen] = 1.0
    return JointHypotheses(
        weights=np.full(count, weight),
        means=means,
        covariances=covariances,
        existence=np.repeat(hypotheses.existence[base][None], count, axis=0),
        detectable=detectable,
    )


def _placement(
    mean: FloatArray,
    covariance: FloatArray,
    scan: CameraScan,
    sighting: int,
    displacement: Displacement,
) -> Placement:
    """Return where a sighting puts the drone that is elsewhere.

    p_b = p_a + R(yaw_a) w if it was seen, and p_a = p_b - R(yaw_a) w if it is the observer.

    Args:
        mean: (n,) of the state.
        covariance: (n, n), without the drone.
        scan: the camera scan.
        sighting: which of its sightings, w in the levelled frame of the observer.
        displacement: whose it is.
    """
    noise = measurement_noise(scan.sightings)[sighting]
    if displacement.displaced == displacement.seen:
        position, cross, own = sighting_in_map(mean[None], covariance[None], scan, sighting, noise)
        return Placement(position, cross[0], own, np.zeros((1, 3)))
    known = slice(4 * displacement.seen, 4 * displacement.seen + 3)
    poses = np.column_stack([np.zeros((len(QUARTERS), 3)), QUARTERS])
    offset, by_pose, by_sighting = (
        array[:, 0] for array in sighting_positions(poses, scan, np.array([sighting]))
    )
    by_yaw = -by_pose[:, :, 3]
    spread = YAW_VARIANCE * by_yaw[:, :, None] * by_yaw[:, None, :]
    spread += by_sighting @ noise @ by_sighting.transpose(0, 2, 1)
    return Placement(
        position=mean[known] - offset,
        cross_covariance=covariance[known],
        covariance=covariance[known, known] + (spread + spread.transpose(0, 2, 1)) / 2.0,
        by_yaw=YAW_VARIANCE * by_yaw,
    )


def _joined(parts: list[JointHypotheses]) -> JointHypotheses:
    """Return all hypotheses together, weights normalised."""
    names = [field.name for field in fields(JointHypotheses)]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    arrays['weights'] /= arrays['weights'].sum()
    return JointHypotheses(**arrays)
