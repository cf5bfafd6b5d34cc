"""What the scans of the last minute say about the pose of one drone.

The pose of drone c now is x, y, z and yaw psi. Its odometry tells where it was before: at time t
it was at x + R(psi) u(t), with u the way back in its own levelled frame. A sighting that may show
c, or that c may have made of a drone whose pose is known, is then a pair of points,

    x + R(psi) w_i = y_i,

with w_i in the frame of c and y_i in `map`. A true pair holds within its covariance; a pair of a
false positive or of somebody else does not hold for long, since everybody moves otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones, KnownPaths
from mav_perception.localization.parameters import SensorParameters
from mav_perception.types import BoolArray, FloatArray, IntArray

MIN_SIGMA = 0.05
"""No pair is trusted to less than this, metres: paths are interpolated, drones are no points."""


VISIBLE_SHARE = 0.5
"""Share of the time for which nothing hides a drone, if what hides it stays for long."""

HIDING_TIME = 1.0
"""Seconds of correlation from which on what hides a drone counts as staying for long."""


@dataclass(frozen=True)
class PointPairs:
    """Pairs of points (w, y) that hold if the drone is where it is supposed to be.

    Attributes:
        body_points: (n, 3) w, in the levelled frame of the drone now, metres.
        map_points: (n, 3) y, in map, metres.
        precision: (n, 3, 3) inverse covariance, in map for sightings of the drone, in the drone's
            frame for sightings by the drone.
        own: (n,) the drone made the sighting itself.
        reference: (n,) the known drone that made it or may be in it.
        log_peak_ratio: (n,) log of P_D, as far as it is shown, times the peak of the normal
            density, over the clutter density.
        explained: (n,) intensity of the drones whose pose is known, over the clutter density.
        sighting: (n,) which sighting of the stacked scans.
        weight: (n,) by which its evidence counts.
    """

    body_points: FloatArray
    map_points: FloatArray
    precision: FloatArray
    own: BoolArray
    reference: IntArray
    log_peak_ratio: FloatArray
    explained: FloatArray
    sighting: IntArray
    weight: FloatArray


def shown_probability(parameters: SensorParameters) -> float:
    """Return the P_D of a drone that may be hidden for the whole window, or not.

    P_D (1 - (1 - s) (1 - exp(-tau / T))), with s `VISIBLE_SHARE`, T `HIDING_TIME` and tau the
    `detection_correlation`. Detections and misses count with the same: with misses that cost less
    than detections bring, noise alone would initialize drones.
    """
    stays = 1.0 - np.exp(-parameters.detection_correlation / HIDING_TIME)
    return parameters.detection_probability * float(1.0 - (1.0 - VISIBLE_SHARE) * stays)


def seen_points(
    scans: StackedScans, paths: KnownPaths, index: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return sightings by known observers in map: points (n, 3) and covariances (n, 3, 3)."""
    scan = scans.scan[index]
    observer = scans.observer[scan]
    poses = paths.poses[observer, scan]
    turn = yaw_rotation(poses[:, 3])
    points = poses[:, :3] + np.einsum('nij,nj->ni', turn, scans.points[index])
    covariance = turn @ scans.covariances[index] @ turn.transpose(0, 2, 1)
    reach = paths.reach[observer, scan] + np.sum(scans.points[index] ** 2, axis=1)
    return points, _widened(covariance, paths.variances[observer, scan], reach)


def pairs_for(
    scans: StackedScans,
    known: KnownDrones,
    paths: KnownPaths,
    drone: int,
    parameters: SensorParameters,
    both_ways: bool = True,
) -> PointPairs:
    """Collect all pairs for one drone.

    Args:
        scans: scans and paths.
        known: who is where.
        paths: where those were at the scans.
        drone: whose pose is asked, or -1 for a static object: then w is zero.
        parameters: P_D.
        both_ways: use what the drone saw itself too, not just who saw it.
    """
    observers = scans.observer[scans.scan]
    usable = known.known[observers] & (observers != drone)
    if drone >= 0:
        usable &= scans.path_known[drone, scans.scan]
    index = np.flatnonzero(usable)
    there, covariance = seen_points(scans, paths, index)
    scan = scans.scan[index]
    here = np.zeros((len(index), 3))
    if drone >= 0:
        here = scans.back[drone, scan]
        covariance = _widened(covariance, scans.drift[drone, scan], scans.reach[drone, scan])
    seen, p_d = np.zeros(len(index), bool), parameters.detection_probability
    explained = _explained(scans, known, paths, index, there, covariance, p_d)
    parts = [(here, there, covariance, seen, observers[index], explained, index)]
    if drone >= 0 and both_ways:
        parts += _by_drone(scans, known, paths, drone)
    here, there, covariance, own, reference, explained, index = (
        np.concatenate(p) for p in zip(*parts, strict=True)
    )
    return PointPairs(
        body_points=here,
        map_points=there,
        precision=np.asarray(np.linalg.inv(covariance), float),
        own=own,
        reference=reference,
        log_peak_ratio=_log_peak(covariance)
        + np.log(shown_probability(parameters) / scans.clutter[index]),
        explained=explained,
        sighting=index,
        weight=scans.weight[scans.scan[index]],
    )


def _by_drone(
    scans: StackedScans, known: KnownDrones, paths: KnownPaths, drone: int
) -> list[tuple[FloatArray, FloatArray, FloatArray, BoolArray, IntArray, FloatArray, IntArray]]:
    """Return the pairs of the drone's own sightings with every known drone."""
    mine = scans.observer[scans.scan] == drone
    parts = []
    for other in np.flatnonzero(known.known):
        if other == drone:
            continue
        index = np.flatnonzero(mine & paths.known[other, scans.scan])
        scan = scans.scan[index]
        turn = yaw_rotation(scans.turned[drone, scan])
        here = scans.back[drone, scan] + np.einsum('nij,nj->ni', turn, scans.points[index])
        sighting = turn @ scans.covariances[index] @ turn.transpose(0, 2, 1)
        reach = scans.reach[drone, scan] + np.sum(scans.points[index] ** 2, axis=1)
        covariance = _widened(sighting, scans.drift[drone, scan], reach)
        variance = paths.variances[other, scan]
        covariance = _widened(covariance, variance, paths.reach[other, scan])
        there = paths.poses[other, scan, :3]
        own, reference = np.ones(len(index), bool), np.full(len(index), other)
        parts.append((here, there, covariance, own, reference, np.zeros(len(index)), index))
    return parts


def _explained(
    scans: StackedScans,
    known: KnownDrones,
    paths: KnownPaths,
    index: IntArray,
    there: FloatArray,
    covariance: FloatArray,
    detection_probability: float,
) -> FloatArray:
    """Return how much known drones explain sightings already, over the clutter density."""
    scan = scans.scan[index]
    total = np.zeros(len(index))
    for other in np.flatnonzero(known.known):
        wide = _widened(covariance, paths.variances[other, scan], paths.reach[other, scan])
        delta = there - paths.poses[other, scan, :3]
        density = np.exp(_log_density(delta, wide))
        intensity = detection_probability * density / scans.clutter[index]
        counts = (scans.observer[scan] != other) & paths.known[other, scan]
        total += np.where(counts, intensity, 0.0)
    for position in known.objects:
        total += (
            detection_probability
            * np.exp(_log_density(there - position, covariance))
            / scans.clutter[index]
        )
    return total


def _log_density(delta: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return (n,) logs of zero-mean normal densities."""
    solved = np.linalg.solve(covariance, delta[..., None])[..., 0]
    return _log_peak(covariance) - 0.5 * np.sum(delta * solved, axis=1)


def _log_peak(covariance: FloatArray) -> FloatArray:
    """Return (n,) logs of the peaks of normal densities."""
    return -0.5 * np.linalg.slogdet(2.0 * np.pi * covariance)[1]


def _widened(covariance: FloatArray, variance: FloatArray, reach: FloatArray) -> FloatArray:
    """Add (n, 4) variances of x, y, z and of a yaw on a lever of squared length `reach`."""
    wide = covariance.copy()
    axis = np.arange(3)
    wide[:, axis, axis] += variance[:, :3] + MIN_SIGMA**2
    wide[:, :2, :2] += 0.5 * (variance[:, 3] * reach)[:, None, None] * np.eye(2)
    return wide
