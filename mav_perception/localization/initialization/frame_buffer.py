"""The frames of the last minutes as arrays, and everybody's way at their times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.measurement.observation import measurement_noise
from mav_perception.localization.measurement.visibility import clutter_per_volume
from mav_perception.localization.odometry.history import POSITION, YAW
from mav_perception.localization.odometry.team_odometry import TeamOdometry, process_noise
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.static_objects.birth_death import place_sightings
from mav_perception.localization.update.scan import CameraScan
from mav_perception.types import BoolArray, FloatArray, IntArray

NEWS_PER_SECOND = 5.0
"""Errors of sightings, and what hides a drone, last: more frames a second tell no more."""

LEAST_SPREAD = 0.05
"""No pair is trusted to less than this, metres: paths are interpolated, drones are not points."""


@dataclass(frozen=True)
class BufferedScan:
    """A frame as start-up needs it.

    Attributes:
        stamp_ns, observer, camera: which frame; `camera` counts through the team.
        points: (m, 3) sightings in the levelled body frame of the observer.
        covariances: (m, 3, 3).
        clutter: (m,) density of false sightings, per cubic metre.
        optical: (3, 3) rotation from the levelled body to the optical frame.
        half_view: half the horizontal and vertical field of view, radians.
    """

    stamp_ns: int
    observer: int
    camera: int
    points: FloatArray
    covariances: FloatArray
    clutter: FloatArray
    optical: FloatArray
    half_view: tuple[float, float]


def buffer_scan(
    frame: CameraScan, clutter_rate: float, parameters: FilterParameters
) -> BufferedScan:
    """Turn a frame into points in the levelled body frame of its observer."""
    parameters = frame.mount.sensor_model(parameters)
    index = np.arange(len(frame.sightings))
    points, _, axes = place_sightings(np.zeros(4), frame, index)
    noise = measurement_noise(frame.sightings)
    return BufferedScan(
        frame.sightings.stamp_ns,
        frame.observer,
        frame.camera,
        points,
        axes @ noise @ axes.transpose(0, 2, 1),
        clutter_per_volume(clutter_rate, frame.sightings, parameters),
        frame.body_to_optical,
        (parameters.half_view_horizontal, parameters.half_view_vertical),
    )


@dataclass(frozen=True)
class StackedScans:
    """All remembered frames as arrays, with the paths of all drones at their times.

    Attributes:
        stamps, observer: (F,) of each frame.
        optical: (F, 3, 3).
        half_view: (F, 2).
        weight: (F,) of each frame: what is seen many times a second is not as often news.
        reach: (N, F) mean square distance of a drone's place then from its way since, m^2.
        path_known: (N, F) the odometry of the drone is unbroken from then until now.
        frame: (J,) the frame of each sighting.
        points, covariances, clutter: (J, ...) of each sighting.
        back: (N, F, 3) way back of each drone since now, in its levelled frame now.
        turned: (N, F) yaw since now.
        drift: (N, F, 4) variances that the odometry adds between then and now.
    """

    stamps: IntArray
    observer: IntArray
    optical: FloatArray
    half_view: FloatArray
    weight: FloatArray
    reach: FloatArray
    path_known: BoolArray
    frame: IntArray
    points: FloatArray
    covariances: FloatArray
    clutter: FloatArray
    back: FloatArray
    turned: FloatArray
    drift: FloatArray


def stack(
    frames: list[BufferedScan],
    odometry: TeamOdometry,
    now_ns: int,
    parameters: FilterParameters,
) -> StackedScans:
    """Look up everybody's path at the times of the frames."""
    frames = [f for f in frames if f.stamp_ns >= odometry.histories[f.observer].unbroken_since_ns]
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
    return StackedScans(
        stamps,
        observer,
        np.array([f.optical for f in frames]).reshape(-1, 3, 3),
        np.array([f.half_view for f in frames]).reshape(-1, 2),
        _frame_weights(stamps, np.array([f.camera for f in frames], np.int64)),
        np.array([_mean_reach(way) for way in back]),
        np.array([stamps >= history.unbroken_since_ns for history in odometry.histories]),
        np.repeat(np.arange(len(frames)), np.array(sizes, np.int64)),
        np.concatenate([np.zeros((0, 3)), *(f.points for f in frames)]),
        covariances,
        np.concatenate([np.zeros(0), *(f.clutter for f in frames)]),
        np.array(back),
        np.array(turned),
        np.array(drift),
    )


def _frame_weights(stamps: IntArray, camera: IntArray) -> FloatArray:
    """Return (F,) weights such that a camera counts `NEWS_PER_SECOND` times a second."""
    weight = np.ones(len(stamps))
    for one in np.unique(camera):
        mine = np.flatnonzero(camera == one)
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
class KnownDrones:
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

    def positions(self, memory: StackedScans, drone: int) -> FloatArray:
        """Return (F, 3) positions in map at the frames."""
        turn = yaw_rotation(self.poses[drone, 3])
        return self.poses[drone, :3] + memory.back[drone] @ turn.T
