"""What the frames of the last minute say about the place of one drone.

The pose of drone c now is x, y, z and yaw psi. Its odometry tells where it was before: at time t it
was at x + R(psi) u(t), with u the way back in its own levelled frame. A sighting that may show c,
or that c may have made of a drone whose place is known, is then a pair of points,

    x + R(psi) w_i = y_i,

with w_i in the frame of c and y_i in `map`. A true pair holds within its covariance; a pair of a
false positive or of somebody else does not hold for long, since everybody moves otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.frame import Frame
from mav_perception.localization.observation import measurement_noise
from mav_perception.localization.odometry import POSITION, YAW, TeamOdometry, process_noise
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.standing import place_sightings
from mav_perception.localization.visibility import clutter_density
from mav_perception.types import BoolArray, FloatArray, IntArray

LEAST_SPREAD = 0.05
"""No pair is trusted to less than this, metres: paths are interpolated, drones are not points."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of points (w, y) that hold if the drone is where it is supposed to be.

    Attributes:
        here: (n, 3) w, in the levelled frame of the drone now, metres.
        there: (n, 3) y, in map, metres.
        precision: (n, 3, 3) inverse covariance, in map for sightings of the drone, in the drone's
            frame for sightings by the drone.
        own: (n,) the drone made the sighting itself.
        strength: (n,) log of P_D times the peak of the normal density over the clutter density.
        explained: (n,) intensity of the drones whose place is known, over the clutter density.
        sighting: (n,) which sighting of the memory.
    """

    here: FloatArray
    there: FloatArray
    precision: FloatArray
    own: BoolArray
    strength: FloatArray
    explained: FloatArray
    sighting: IntArray


@dataclass(frozen=True)
class Looks:
    """Frames in which the drone, or a drone seen from it, may have been in view and missed.

    Attributes:
        observer, target: (f, 3) positions of camera drone and candidate where they are known, in
            map, and the way back of the drone in question, in its own frame.
        yaw: (f,) of the observer; of the drone in question, since now.
        optical: (f, 3, 3) rotation from the levelled body to the camera's optical frame.
        own: (f,) the drone in question is the observer.
    """

    observer: FloatArray
    target: FloatArray
    yaw: FloatArray
    optical: FloatArray
    own: BoolArray


@dataclass(frozen=True)
class RememberedFrame:
    """A frame as start-up needs it.

    Attributes:
        stamp_ns, observer: which frame.
        points: (m, 3) sightings in the levelled body frame of the observer.
        covariances: (m, 3, 3).
        clutter: (m,) density of false sightings, per cubic metre.
        optical: (3, 3) rotation from the levelled body to the optical frame.
    """

    stamp_ns: int
    observer: int
    points: FloatArray
    covariances: FloatArray
    clutter: FloatArray
    optical: FloatArray


def remember_frame(frame: Frame, clutter_rate: float, parameters: FilterParameters) -> RememberedFrame:
    """Turn a frame into points in the levelled body frame of its observer."""
    index = np.arange(len(frame.sightings))
    points, _, axes = place_sightings(np.zeros(4), frame, index)
    noise = measurement_noise(frame.sightings)
    ranges = np.linalg.norm(frame.sightings.positions, axis=1)
    return RememberedFrame(
        frame.sightings.stamp_ns,
        frame.observer,
        points,
        axes @ noise @ axes.transpose(0, 2, 1),
        clutter_density(clutter_rate, frame.sightings, parameters) / ranges**3,
        frame.body_to_optical,
    )


@dataclass(frozen=True)
class Memory:
    """All remembered frames as arrays, with the paths of all drones at their times.

    Attributes:
        stamps, observer: (F,) of each frame.
        optical: (F, 3, 3).
        frame: (J,) the frame of each sighting.
        points, covariances, clutter: (J, ...) of each sighting.
        back: (N, F, 3) way back of each drone since now, in its levelled frame now.
        turned: (N, F) yaw since now.
        drift: (N, F, 4) variances that the odometry adds between then and now.
    """

    stamps: IntArray
    observer: IntArray
    optical: FloatArray
    frame: IntArray
    points: FloatArray
    covariances: FloatArray
    clutter: FloatArray
    back: FloatArray
    turned: FloatArray
    drift: FloatArray


def gather(
    frames: list[RememberedFrame], odometry: TeamOdometry, now_ns: int, parameters: FilterParameters
) -> Memory:
    """Look up everybody's path at the times of the frames."""
    stamps = np.array([f.stamp_ns for f in frames], np.int64)
    back, turned, drift = [], [], []
    for history in odometry.histories:
        path, now = history.path(stamps), history.at(now_ns)
        back.append((path[:, POSITION] - now[POSITION]) @ yaw_rotation(-now[YAW]).T)
        turned.append(path[:, YAW] - now[YAW])
        drift.append(process_noise(now - path, parameters))
    sizes = [len(f.points) for f in frames]
    return Memory(
        stamps,
        np.array([f.observer for f in frames]),
        np.array([f.optical for f in frames]),
        np.repeat(np.arange(len(frames)), sizes),
        np.concatenate([f.points for f in frames]),
        np.concatenate([f.covariances for f in frames]),
        np.concatenate([f.clutter for f in frames]),
        np.array(back),
        np.array(turned),
        np.array(drift),
    )


@dataclass(frozen=True)
class Placed:
    """What has a known place.

    Attributes:
        poses, variances: (N, 4) of the drones now.
        known: (N,) which of them are known.
        objects: (O, 3) static objects.
    """

    poses: FloatArray
    variances: FloatArray
    known: BoolArray
    objects: FloatArray

    def positions(self, memory: Memory, drone: int) -> FloatArray:
        """Return (F, 3) positions in map at the frames."""
        turn = yaw_rotation(self.poses[drone, 3])
        return self.poses[drone, :3] + memory.back[drone] @ turn.T


def seen_points(memory: Memory, placed: Placed, index: IntArray) -> tuple[FloatArray, FloatArray]:
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
    reach = np.sum(memory.points[index] ** 2, axis=1)
    return points, _widened(covariance, variance, reach)


def pairs_for(
    memory: Memory,
    placed: Placed,
    drone: int,
    detection_probability: float,
    since_ns: int = 0,
) -> Pairs:
    """Collect all pairs for one drone.

    Args:
        memory: frames and paths.
        placed: who is where.
        drone: whose place is asked, or -1 for a static object: then w is zero.
        detection_probability: P_D.
        since_ns: frames before it are not used: the drone's odometry broke there.
    """
    observers = memory.observer[memory.frame]
    recent = memory.stamps[memory.frame] >= since_ns
    index = np.flatnonzero(placed.known[observers] & (observers != drone) & recent)
    there, covariance = seen_points(memory, placed, index)
    frame = memory.frame[index]
    here = np.zeros((len(index), 3)) if drone < 0 else memory.back[drone, frame]
    if drone >= 0:
        reach = np.sum(here**2, axis=1)
        covariance = _widened(covariance, memory.drift[drone, frame], reach)
    explained = _explained(memory, placed, index, there, covariance, detection_probability)
    parts = [(here, there, covariance, np.zeros(len(index), bool), explained, index)]
    if drone >= 0:
        parts += _by_drone(memory, placed, drone, np.flatnonzero(recent & (observers == drone)))
    here, there, covariance, own, explained, index = (
        np.concatenate(p) for p in zip(*parts, strict=True)
    )
    log_det = np.linalg.slogdet(2.0 * np.pi * covariance)[1]
    strength = np.log(detection_probability / memory.clutter[index]) - 0.5 * log_det
    return Pairs(here, there, np.linalg.inv(covariance), own, strength, explained, index)


def _by_drone(
    memory: Memory, placed: Placed, drone: int, index: IntArray
) -> list[tuple[FloatArray, FloatArray, FloatArray, BoolArray, FloatArray, IntArray]]:
    """Return the pairs of the drone's own sightings with every placed drone."""
    frame = memory.frame[index]
    turn = yaw_rotation(memory.turned[drone, frame])
    here = memory.back[drone, frame] + np.einsum('nij,nj->ni', turn, memory.points[index])
    sighting = turn @ memory.covariances[index] @ turn.transpose(0, 2, 1)
    reach = np.sum(here**2, axis=1)
    parts = []
    for other in np.flatnonzero(placed.known):
        if other == drone:
            continue
        variance = memory.drift[drone, frame] + memory.drift[other, frame]
        covariance = _widened(sighting, variance + placed.variances[other], reach)
        there = placed.positions(memory, int(other))[frame]
        parts.append(
            (here, there, covariance, np.ones(len(index), bool), np.zeros(len(index)), index)
        )
    return parts


def _explained(
    memory: Memory,
    placed: Placed,
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
        wide = _widened(covariance, variance, np.zeros(len(index)))
        delta = there - placed.positions(memory, int(other))[frame]
        density = np.exp(_log_density(delta, wide))
        intensity = detection_probability * density / memory.clutter[index]
        total += np.where(memory.observer[frame] == other, 0.0, intensity)
    for place in placed.objects:
        total += detection_probability * np.exp(
            _log_density(there - place, covariance)
        ) / memory.clutter[index]
    return total


def _log_density(delta: FloatArray, covariance: FloatArray) -> FloatArray:
    solved = np.linalg.solve(covariance, delta[..., None])[..., 0]
    log_det = np.linalg.slogdet(2.0 * np.pi * covariance)[1]
    return -0.5 * (np.sum(delta * solved, axis=1) + log_det)


def _widened(covariance: FloatArray, variance: FloatArray, reach: FloatArray) -> FloatArray:
    """Add (n, 4) variances of x, y, z and of a yaw that turns a lever of squared length `reach`."""
    wide = covariance.copy()
    axis = np.arange(3)
    wide[:, axis, axis] += variance[:, :3] + LEAST_SPREAD**2
    wide[:, :2, :2] += 0.5 * (variance[:, 3] * reach)[:, None, None] * np.eye(2)
    return wide


def looks_for(memory: Memory, placed: Placed, drone: int, since_ns: int = 0) -> Looks:
    """Collect the frames in which the drone should have been seen, or should have seen others."""
    recent = memory.stamps >= since_ns
    frames = np.flatnonzero(placed.known[memory.observer] & (memory.observer != drone) & recent)
    observer = memory.observer[frames]
    origin = np.array(
        [placed.positions(memory, int(o))[f] for o, f in zip(observer, frames, strict=True)]
    ).reshape(-1, 3)
    yaw = placed.poses[observer, 3] + memory.turned[observer, frames]
    back = np.zeros((len(frames), 3)) if drone < 0 else memory.back[drone, frames]
    parts = [(origin, back, yaw, memory.optical[frames], np.zeros(len(frames), bool))]
    mine = np.flatnonzero((memory.observer == drone) & recent)
    for other in np.flatnonzero(placed.known):
        if other == drone or drone < 0:
            continue
        target = placed.positions(memory, int(other))[mine]
        parts.append(
            (
                memory.back[drone, mine],
                target,
                memory.turned[drone, mine],
                memory.optical[mine],
                np.ones(len(mine), bool),
            )
        )
    return Looks(*(np.concatenate(p) for p in zip(*parts, strict=True)))
