"""What the frames of the last minute say about the place of one drone.

The pose of drone c now is x, y, z and yaw psi. Its odometry tells where it was before: at time t
it was at x + R(psi) u(t), with u the way back in its own levelled frame. A sighting that may show
c, or that c may have made of a drone whose place is known, is then a pair of points,

    x + R(psi) w_i = y_i,

with w_i in the frame of c and y_i in `map`. A true pair holds within its covariance; a pair of a
false positive or of somebody else does not hold for long, since everybody moves otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.initialization.frame_buffer import (
    LEAST_SPREAD,
    KnownDrones,
    StackedScans,
)
from mav_perception.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class PointPairs:
    """PointPairs of points (w, y) that hold if the drone is where it is supposed to be.

    Attributes:
        here: (n, 3) w, in the levelled frame of the drone now, metres.
        there: (n, 3) y, in map, metres.
        precision: (n, 3, 3) inverse covariance, in map for sightings of the drone, in the drone's
            frame for sightings by the drone.
        own: (n,) the drone made the sighting itself.
        strength: (n,) log of P_D times the peak of the normal density over the clutter density.
        explained: (n,) intensity of the drones whose place is known, over the clutter density.
        sighting: (n,) which sighting of the memory.
        weight: (n,) by which its evidence counts.
    """

    here: FloatArray
    there: FloatArray
    precision: FloatArray
    own: BoolArray
    strength: FloatArray
    explained: FloatArray
    sighting: IntArray
    weight: FloatArray


@dataclass(frozen=True)
class ViewOpportunities:
    """Frames in which the drone, or a drone seen from it, may have been in view and missed.

    Attributes:
        observer, target: (f, 3) positions of camera drone and candidate where they are known, in
            map, and the way back of the drone in question, in its own frame.
        yaw: (f,) of the observer; of the drone in question, since now.
        optical: (f, 3, 3) rotation from the levelled body to the camera's optical frame.
        half_view: (f, 2) of the camera, radians.
        own: (f,) the drone in question is the observer.
        weight: (f,) by which its evidence counts.
    """

    observer: FloatArray
    target: FloatArray
    yaw: FloatArray
    optical: FloatArray
    half_view: FloatArray
    own: BoolArray
    weight: FloatArray


def seen_points(
    memory: StackedScans, placed: KnownDrones, index: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return sightings by placed observers in map: points (n, 3) and covariances (n, 3, 3)."""
    frame = memory.frame[index]
    observer = memory.observer[frame]
    poses = placed.poses[observer]
    yaw = poses[:, 3] + memory.turned[observer, frame]
    turn = yaw_rotation(yaw)
    origin = poses[:, :3] + np.einsum(
        'nij,nj->ni', yaw_rotation(poses[:, 3]), memory.back[observer, frame]
    )
    points = origin + np.einsum('nij,nj->ni', turn, memory.points[index])
    covariance = turn @ memory.covariances[index] @ turn.transpose(0, 2, 1)
    variance = memory.drift[observer, frame] + placed.variances[observer]
    reach = memory.reach[observer, frame] + np.sum(memory.points[index] ** 2, axis=1)
    return points, _widened(covariance, variance, reach)


def pairs_for(
    memory: StackedScans,
    placed: KnownDrones,
    drone: int,
    detection_probability: float,
    both_ways: bool = True,
) -> PointPairs:
    """Collect all pairs for one drone.

    Args:
        memory: frames and paths.
        placed: who is where.
        drone: whose place is asked, or -1 for a static object: then w is zero.
        detection_probability: P_D.
        both_ways: use what the drone saw itself too, not just who saw it.
    """
    observers = memory.observer[memory.frame]
    usable = placed.known[observers] & (observers != drone)
    if drone >= 0:
        usable &= memory.path_known[drone, memory.frame]
    index = np.flatnonzero(usable)
    there, covariance = seen_points(memory, placed, index)
    frame = memory.frame[index]
    here = np.zeros((len(index), 3)) if drone < 0 else memory.back[drone, frame]
    if drone >= 0:
        covariance = _widened(covariance, memory.drift[drone, frame], memory.reach[drone, frame])
    explained = _explained(memory, placed, index, there, covariance, detection_probability)
    parts = [(here, there, covariance, np.zeros(len(index), bool), explained, index)]
    if drone >= 0 and both_ways:
        parts += _by_drone(memory, placed, drone)
    here, there, covariance, own, explained, index = (
        np.concatenate(p) for p in zip(*parts, strict=True)
    )
    strength = np.log(detection_probability / memory.clutter[index])
    strength += _log_peak(covariance)
    weight = memory.weight[memory.frame[index]]
    precision = np.asarray(np.linalg.inv(covariance), float)
    return PointPairs(here, there, precision, own, strength, explained, index, weight)


def _by_drone(
    memory: StackedScans, placed: KnownDrones, drone: int
) -> list[tuple[FloatArray, FloatArray, FloatArray, BoolArray, FloatArray, IntArray]]:
    """Return the pairs of the drone's own sightings with every placed drone."""
    mine = memory.observer[memory.frame] == drone
    parts = []
    for other in np.flatnonzero(placed.known):
        if other == drone:
            continue
        index = np.flatnonzero(mine & memory.path_known[other, memory.frame])
        frame = memory.frame[index]
        turn = yaw_rotation(memory.turned[drone, frame])
        here = memory.back[drone, frame] + np.einsum('nij,nj->ni', turn, memory.points[index])
        sighting = turn @ memory.covariances[index] @ turn.transpose(0, 2, 1)
        reach = memory.reach[drone, frame] + np.sum(memory.points[index] ** 2, axis=1)
        covariance = _widened(sighting, memory.drift[drone, frame], reach)
        variance = memory.drift[other, frame] + placed.variances[other]
        covariance = _widened(covariance, variance, memory.reach[other, frame])
        there = placed.positions(memory, int(other))[frame]
        parts.append(
            (here, there, covariance, np.ones(len(index), bool), np.zeros(len(index)), index)
        )
    return parts


def _explained(
    memory: StackedScans,
    placed: KnownDrones,
    index: IntArray,
    there: FloatArray,
    covariance: FloatArray,
    detection_probability: float,
) -> FloatArray:
    """Return how much placed drones explain sightings already, over the clutter density."""
    frame = memory.frame[index]
    total = np.zeros(len(index))
    for other in np.flatnonzero(placed.known):
        variance = memory.drift[other, frame] + placed.variances[other]
        wide = _widened(covariance, variance, memory.reach[other, frame])
        delta = there - placed.positions(memory, int(other))[frame]
        density = np.exp(_log_density(delta, wide))
        intensity = detection_probability * density / memory.clutter[index]
        counts = (memory.observer[frame] != other) & memory.path_known[other, frame]
        total += np.where(counts, intensity, 0.0)
    for place in placed.objects:
        total += (
            detection_probability
            * np.exp(_log_density(there - place, covariance))
            / memory.clutter[index]
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
    wide[:, axis, axis] += variance[:, :3] + LEAST_SPREAD**2
    wide[:, :2, :2] += 0.5 * (variance[:, 3] * reach)[:, None, None] * np.eye(2)
    return wide


def opportunities_for(
    memory: StackedScans, placed: KnownDrones, drone: int, both_ways: bool = True
) -> ViewOpportunities:
    """Collect the frames in which the drone should have been seen, or should have seen others."""
    usable = placed.known[memory.observer] & (memory.observer != drone)
    if drone >= 0:
        usable &= memory.path_known[drone]
    frames = np.flatnonzero(usable)
    observer = memory.observer[frames]
    origin = np.array(
        [placed.positions(memory, int(o))[f] for o, f in zip(observer, frames, strict=True)]
    ).reshape(-1, 3)
    yaw = placed.poses[observer, 3] + memory.turned[observer, frames]
    back = np.zeros((len(frames), 3)) if drone < 0 else memory.back[drone, frames]
    others = np.zeros(len(frames), bool)
    views = memory.optical[frames], memory.half_view[frames]
    parts = [(origin, back, yaw, *views, others, memory.weight[frames])]
    for other in np.flatnonzero(placed.known):
        if other == drone or drone < 0 or not both_ways:
            continue
        mine = np.flatnonzero((memory.observer == drone) & memory.path_known[other])
        target = placed.positions(memory, int(other))[mine]
        parts.append(
            (
                memory.back[drone, mine],
                target,
                memory.turned[drone, mine],
                memory.optical[mine],
                memory.half_view[mine],
                np.ones(len(mine), bool),
                memory.weight[mine],
            )
        )
    return ViewOpportunities(*(np.concatenate(p) for p in zip(*parts, strict=True)))
