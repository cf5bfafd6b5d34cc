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

NEWS_PER_SECOND = 5.0
"""Errors of sightings, and what hides a drone, last: more frames a second tell no more."""

DRIFT_PRICE = 1.0
"""Share of the odometry's error that each sighting pays for: about five share one."""

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
class Looks:
    """Frames in which the drone, or a drone seen from it, may have been in view and missed.

    Attributes:
        observer, target: (f, 3) positions of camera drone and candidate where they are known, in
            map, and the way back of the drone in question, in its own frame.
        yaw: (f,) of the observer; of the drone in question, since now.
        optical: (f, 3, 3) rotation from the levelled body to the camera's optical frame.
        own: (f,) the drone in question is the observer.
        weight: (f,) by which its evidence counts.
    """

    observer: FloatArray
    target: FloatArray
    yaw: FloatArray
    optical: FloatArray
    own: BoolArray
    weight: FloatArray


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
        weight: (F,) of each frame: what is seen many times a second is not as often news.
        reach: (N, F) mean square distance of a drone's place then from its way since, m^2.
        path_known: (N, F) the odometry of the drone is unbroken from then until now.
        frame: (J,) the frame of each sighting.
        points, covariances, clutter: (J, ...) of each sighting.
        log_det: (J,) log determinant of 2 pi times its covariance.
        back: (N, F, 3) way back of each drone since now, in its levelled frame now.
        turned: (N, F) yaw since now.
        drift: (N, F, 4) variances that the odometry adds between then and now.
    """

    stamps: IntArray
    observer: IntArray
    optical: FloatArray
    weight: FloatArray
    reach: FloatArray
    path_known: BoolArray
    frame: IntArray
    points: FloatArray
    covariances: FloatArray
    clutter: FloatArray
    log_det: FloatArray
    back: FloatArray
    turned: FloatArray
    drift: FloatArray


def gather(
    frames: list[RememberedFrame], odometry: TeamOdometry, now_ns: int, parameters: FilterParameters
) -> Memory:
    """Look up everybody's path at the times of the frames."""
    frames = [
        f for f in frames if f.stamp_ns >= odometry.histories[f.observer].unbroken_since_ns
    ]
    stamps = np.array([f.stamp_ns for f in frames], np.int64)
    observer = np.array([f.observer for f in frames], np.int64)
    back, turned, drift = [], [], []
    for history in odometry.histories:
        path, now = history.path(stamps), history.at(now_ns)
        back.append((path[:, POSITION] - now[POSITION]) @ yaw_rotation(-now[YAW]).T)
        turned.append(path[:, YAW] - now[YAW])
        drift.append(process_noise(now - path, parameters))
    sizes = [len(f.points) for f in frames]
    covariances = np.concatenate([np.zeros((0, 3, 3)), *(f.covariances for f in frames)])
    least = covariances + LEAST_SPREAD**2 * np.eye(3)
    return Memory(
        stamps,
        observer,
        np.array([f.optical for f in frames]).reshape(-1, 3, 3),
        _frame_weights(stamps, observer),
        np.array([_mean_reach(way) for way in back]),
        np.array([stamps >= history.unbroken_since_ns for history in odometry.histories]),
        np.repeat(np.arange(len(frames)), np.array(sizes, np.int64)),
        np.concatenate([np.zeros((0, 3)), *(f.points for f in frames)]),
        covariances,
        np.concatenate([np.zeros(0), *(f.clutter for f in frames)]),
        np.linalg.slogdet(2.0 * np.pi * least)[1],
        np.array(back),
        np.array(turned),
        np.array(drift),
    )


def _frame_weights(stamps: IntArray, observer: IntArray) -> FloatArray:
    """Return (F,) weights such that an observer counts `NEWS_PER_SECOND` times a second."""
    weight = np.ones(len(stamps))
    for drone in np.unique(observer):
        mine = np.flatnonzero(observer == drone)
        interval = np.diff(stamps[mine], prepend=stamps[mine[0]] - 1_000_000_000) * 1e-9
        weight[mine] = np.clip(interval * NEWS_PER_SECOND, 0.0, 1.0)
    return weight


def _mean_reach(back: FloatArray) -> FloatArray:
    """Return (F,) mean square distance of each point of a way (F, 3) from the points after it.

    An error of yaw somewhere on the way swings all that came before about that place.
    """
    number = np.arange(len(back), 0, -1)
    mean = np.cumsum(back[::-1], axis=0)[::-1] / number[:, None]
    square = np.cumsum(np.sum(back**2, axis=1)[::-1])[::-1] / number
    return square - 2.0 * np.sum(mean * back, axis=1) + np.sum(back**2, axis=1)


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
    reach = memory.reach[observer, frame] + np.sum(memory.points[index] ** 2, axis=1)
    return points, _widened(covariance, variance, reach)


def pairs_for(
    memory: Memory,
    placed: Placed,
    drone: int,
    detection_probability: float,
    both_ways: bool = True,
) -> Pairs:
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
    strength += _log_peak(covariance, memory.log_det[index])
    weight = memory.weight[memory.frame[index]]
    precision = np.linalg.inv(covariance)
    return Pairs(here, there, precision, own, strength, explained, index, weight)


def _by_drone(
    memory: Memory, placed: Placed, drone: int
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
        wide = _widened(covariance, variance, memory.reach[other, frame])
        delta = there - placed.positions(memory, int(other))[frame]
        density = np.exp(_log_density(delta, wide, memory.log_det[index]))
        intensity = detection_probability * density / memory.clutter[index]
        counts = (memory.observer[frame] != other) & memory.path_known[other, frame]
        total += np.where(counts, intensity, 0.0)
    for place in placed.objects:
        total += detection_probability * np.exp(
            _log_density(there - place, covariance, memory.log_det[index])
        ) / memory.clutter[index]
    return total


def _log_density(
    delta: FloatArray, covariance: FloatArray, log_det: FloatArray
) -> FloatArray:
    """Return (n,) log densities, with the drift priced as in `_log_peak`."""
    solved = np.linalg.solve(covariance, delta[..., None])[..., 0]
    return _log_peak(covariance, log_det) - 0.5 * np.sum(delta * solved, axis=1)


def _log_peak(covariance: FloatArray, log_det: FloatArray) -> FloatArray:
    """Return (n,) logs of the peaks of densities that the drift has made wide.

    Sightings of a few seconds share one error of the odometry. As if it were drawn anew for each,
    a normal density would charge every one of them for its width; here each pays its share.

    Args:
        covariance: (n, 3, 3) with drift.
        log_det: (n,) of 2 pi times the covariance of the sighting alone.
    """
    wide = np.linalg.slogdet(2.0 * np.pi * covariance)[1]
    return -0.5 * (log_det + DRIFT_PRICE * (wide - log_det))


def _widened(covariance: FloatArray, variance: FloatArray, reach: FloatArray) -> FloatArray:
    """Add (n, 4) variances of x, y, z and of a yaw that turns a lever of squared length `reach`."""
    wide = covariance.copy()
    axis = np.arange(3)
    wide[:, axis, axis] += variance[:, :3] + LEAST_SPREAD**2
    wide[:, :2, :2] += 0.5 * (variance[:, 3] * reach)[:, None, None] * np.eye(2)
    return wide


def looks_for(
    memory: Memory, placed: Placed, drone: int, both_ways: bool = True
) -> Looks:
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
    parts = [(origin, back, yaw, memory.optical[frames], others, memory.weight[frames])]
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
                np.ones(len(mine), bool),
                memory.weight[mine],
            )
        )
    return Looks(*(np.concatenate(p) for p in zip(*parts, strict=True)))
