"""The scans of the last minutes as arrays, and the path of every drone at their times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.correlation import new_evidence
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import measurement_noise
from mav_perception.localization.measurement.sighting_positions import sighting_positions
from mav_perception.localization.measurement.visibility import clutter_per_volume
from mav_perception.localization.odometry.history import OdometryHistory
from mav_perception.localization.odometry.jumps import MAX_BREAK
from mav_perception.localization.odometry.process_noise import process_noise
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.types import NANOSECONDS, BoolArray, FloatArray, IntArray, nanoseconds


@dataclass(frozen=True)
class BufferedScan:
    """A camera scan as the search for poses needs it.

    Attributes:
        stamp_ns, observer, camera: which scan; `camera` counts through the team.
        points: (m, 3) sightings in the levelled body frame of the observer.
        covariances: (m, 3, 3).
        clutter: (m,) density of false sightings, per cubic metre.
        optical: (3, 3) rotation from the levelled body to the optical frame.
        half_view: half the horizontal and vertical field of view, radians.
        poses, variances: (N, 4) of the drones then, as the filter had them; poses are NaN for
            those without one, and for all if the scan came late. Late odometry does not mend them.
    """

    stamp_ns: int
    observer: int
    camera: int
    points: FloatArray
    covariances: FloatArray
    clutter: FloatArray
    optical: FloatArray
    half_view: tuple[float, float]
    poses: FloatArray
    variances: FloatArray


def buffer_scan(
    scan: CameraScan, clutter_rate: float, state: JointState, parameters: FilterParameters
) -> BufferedScan:
    """Turn a scan into points in the levelled body frame of its observer.

    Args:
        scan: the camera scan.
        clutter_rate: mean number of false sightings in it.
        state: of the filter at the time of the scan, or a later one if the scan came late.
        parameters: of the filter.
    """
    parameters = scan.mount.with_field_of_view(parameters)
    index = np.arange(len(scan.sightings))
    points, _, axes = sighting_positions(np.zeros(4), scan, index)
    noise = measurement_noise(scan.sightings)
    told = state.active & (state.stamp_ns == scan.sightings.stamp_ns)
    poses = np.where(told[:, None], state.team.mean, np.nan)
    return BufferedScan(
        stamp_ns=scan.sightings.stamp_ns,
        observer=scan.observer,
        camera=scan.camera,
        points=points,
        covariances=axes @ noise @ axes.transpose(0, 2, 1),
        clutter=clutter_per_volume(clutter_rate, scan.sightings, parameters),
        optical=scan.optical_from_level,
        half_view=(parameters.half_view_horizontal, parameters.half_view_vertical),
        poses=poses,
        variances=state.team.variances,
    )


@dataclass(frozen=True)
class StackedScans:
    """All buffered scans as arrays, with the paths of all drones at their times.

    Attributes:
        stamps, observer: (F,) of each scan.
        optical: (F, 3, 3).
        half_view: (F, 2).
        weight: (F,) share of each scan that is new evidence, see `correlation`.
        reach: (N, F) mean square distance of a drone's position then from its path since, m^2.
        path_known: (N, F) the odometry of the drone is unbroken from then until now.
        scan: (J,) the scan of each sighting.
        points, covariances, clutter: (J, ...) of each sighting.
        back: (N, F, 3) way back of each drone since now, in its levelled frame now.
        turned: (N, F) yaw since now.
        drift: (N, F, 4) variances that the odometry adds between then and now.
        poses, variances: (N, F, 4) of the drones then, as the filter had them; NaN for none.
        noise: (2,) usual variance of a bearing and of a log range of the sightings.
    """

    stamps: IntArray
    observer: IntArray
    optical: FloatArray
    half_view: FloatArray
    weight: FloatArray
    reach: FloatArray
    path_known: BoolArray
    scan: IntArray
    points: FloatArray
    covariances: FloatArray
    clutter: FloatArray
    back: FloatArray
    turned: FloatArray
    drift: FloatArray
    poses: FloatArray
    variances: FloatArray
    noise: FloatArray


def stack(
    scans: list[BufferedScan],
    odometry: TeamOdometry,
    now_ns: int,
    drift_scale: FloatArray,
    parameters: FilterParameters,
) -> StackedScans:
    """Look up the path of every drone at the times of the scans.

    Args:
        scans: of all cameras.
        odometry: of all drones.
        now_ns: the time that they lead to.
        drift_scale: (N,) of each VIO over minutes, see `DriftScale`.
        parameters: of the filter.
    """
    scans = [s for s in scans if s.stamp_ns >= odometry.histories[s.observer].unbroken_since_ns]
    stamps = np.array([s.stamp_ns for s in scans], np.int64)
    back, turned, drift = [], [], []
    for history, scale in zip(odometry.histories, drift_scale, strict=True):
        path, now = history.path(stamps), history.at(now_ns)
        back.append((path.position - now.position) @ yaw_rotation(-now.yaw).T)
        turned.append(path.yaw - now.yaw)
        drift.append(process_noise(now - path, parameters, np.full(len(stamps), scale)))
    sizes = np.array([len(s.points) for s in scans], np.int64)
    points = np.concatenate([np.zeros((0, 3)), *(s.points for s in scans)])
    covariances = np.concatenate([np.zeros((0, 3, 3)), *(s.covariances for s in scans)])
    return StackedScans(
        stamps=stamps,
        observer=np.array([s.observer for s in scans], np.int64),
        optical=np.array([s.optical for s in scans]).reshape(-1, 3, 3),
        half_view=np.array([s.half_view for s in scans]).reshape(-1, 2),
        weight=_scan_weights(
            stamps, np.array([s.camera for s in scans]), parameters.detection_correlation
        ),
        reach=np.array([_mean_reach(way) for way in back]),
        path_known=np.array([_path_known(h, stamps) for h in odometry.histories]),
        scan=np.repeat(np.arange(len(scans)), sizes),
        points=points,
        covariances=covariances,
        clutter=np.concatenate([np.zeros(0), *(s.clutter for s in scans)]),
        back=np.array(back),
        turned=np.array(turned),
        drift=np.array(drift),
        poses=_by_drone([s.poses for s in scans], len(back)),
        variances=_by_drone([s.variances for s in scans], len(back)),
        noise=_usual_noise(points, covariances),
    )


def _path_known(history: OdometryHistory, stamps: IntArray) -> BoolArray:
    """Return (F,) whether odometry tells where a drone was, from its last break until now."""
    if history.newest_ns is None:
        return np.zeros(len(stamps), bool)
    last = history.newest_ns + nanoseconds(MAX_BREAK)
    return (stamps >= history.unbroken_since_ns) & (stamps <= last)


def _usual_noise(points: FloatArray, covariances: FloatArray) -> FloatArray:
    """Return (2,) medians of the variances of bearing and log range of sightings (J, 3)."""
    if not len(points):
        return np.zeros(2)
    square = np.sum(points**2, axis=1)
    along = np.einsum('ni,nij,nj->n', points, covariances, points) / square**2
    across = (np.trace(covariances, axis1=1, axis2=2) / square - along) / 2.0
    return np.array([np.median(across), np.median(along)])


def _by_drone(tables: list[FloatArray], drones: int) -> FloatArray:
    """Return (N, F, 4) of F tables (N, 4)."""
    return np.array(tables).reshape(-1, drones, 4).swapaxes(0, 1)


def _scan_weights(stamps: IntArray, camera: IntArray, correlation_time: float) -> FloatArray:
    """Return (F,) how much of each scan is new evidence after the one before of its camera."""
    weight = np.ones(len(stamps))
    for one in np.unique(camera):
        scans = np.flatnonzero(camera == one)
        intervals = np.diff(stamps[scans]) / NANOSECONDS
        weight[scans[1:]] = new_evidence(intervals, correlation_time)
    return weight


def _mean_reach(back: FloatArray) -> FloatArray:
    """Return (F,) mean square distance of each point of a way (F, 3) from the points after it.

    An error of yaw somewhere on the way swings all that came before about that point.
    """
    number = np.arange(len(back), 0, -1)
    mean = np.cumsum(back[::-1], axis=0)[::-1] / number[:, None]
    square = np.cumsum(np.sum(back**2, axis=1)[::-1])[::-1] / number
    return square - 2.0 * np.sum(mean * back, axis=1) + np.sum(back**2, axis=1)
