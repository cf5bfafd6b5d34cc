"""Scans in which a drone at some pose should have been seen: what a miss costs that pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import yaw_rotation
from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones, KnownPaths
from mav_perception.localization.measurement.visibility import FieldOfView, view_probability
from mav_perception.localization.parameters import SensorParameters
from mav_perception.types import BoolArray, FloatArray


@dataclass(frozen=True)
class ViewOpportunities:
    """Scans in which the drone, or a drone seen from it, may have been in view and missed.

    Attributes:
        observer, target: (f, 3) positions of camera drone and candidate where they are known, in
            map, and the way back of the drone in question, in its own frame.
        yaw: (f,) of the observer; of the drone in question, since now.
        optical: (f, 3, 3) rotation from the levelled body to the camera's optical frame.
        half_view: (f, 2) of the camera, radians.
        own: (f,) the drone in question is the observer.
        weight: (f,) by which its evidence counts.
        position_var: (f,) variance of where the two are relative to each other, by odometry, m^2.
        bearing_var, range_var: (f,) variances of a bearing, rad^2, the yaw of the observer
            included, and of a log range.
    """

    observer: FloatArray
    target: FloatArray
    yaw: FloatArray
    optical: FloatArray
    half_view: FloatArray
    own: BoolArray
    weight: FloatArray
    position_var: FloatArray
    bearing_var: FloatArray
    range_var: FloatArray

    def joined(self, other: ViewOpportunities) -> ViewOpportunities:
        """Return both."""
        names = self.__dataclass_fields__
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        return ViewOpportunities(**{name: np.concatenate(pair) for name, pair in pairs.items()})


def opportunities_for(
    scans: StackedScans,
    known: KnownDrones,
    paths: KnownPaths,
    drone: int,
    both_ways: bool = True,
) -> ViewOpportunities:
    """Collect the scans in which the drone should have been seen, or should have seen others.

    Args:
        scans: scans and paths.
        known: who is where.
        paths: where those were at the scans.
        drone: whose pose is asked, or -1 for a static object.
        both_ways: those of its own camera too, not just those of the others.
    """
    usable = known.known[scans.observer] & (scans.observer != drone)
    if drone >= 0:
        usable &= scans.path_known[drone]
    index = np.flatnonzero(usable)
    observer = scans.observer[index]
    poses = paths.poses[observer, index]
    position = _position_variance(paths.variances[observer, index], paths.reach[observer, index])
    if drone >= 0:
        position += _position_variance(scans.drift[drone, index], scans.reach[drone, index])
    result = ViewOpportunities(
        observer=poses[:, :3],
        target=np.zeros((len(index), 3)) if drone < 0 else scans.back[drone, index],
        yaw=poses[:, 3],
        optical=scans.optical[index],
        half_view=scans.half_view[index],
        own=np.zeros(len(index), bool),
        weight=scans.weight[index],
        position_var=position,
        bearing_var=scans.noise[0] + 0.5 * paths.variances[observer, index, 3],
        range_var=np.full(len(index), scans.noise[1]),
    )
    for other in np.flatnonzero(known.known).tolist():
        if other != drone and drone >= 0 and both_ways:
            result = result.joined(_by_drone(scans, paths, drone, other))
    return result


def _by_drone(scans: StackedScans, paths: KnownPaths, drone: int, other: int) -> ViewOpportunities:
    """Return the scans of a drone's own camera in which it may have missed a known one."""
    mine = np.flatnonzero((scans.observer == drone) & paths.known[other])
    return ViewOpportunities(
        observer=scans.back[drone, mine],
        target=paths.poses[other, mine, :3],
        yaw=scans.turned[drone, mine],
        optical=scans.optical[mine],
        half_view=scans.half_view[mine],
        own=np.ones(len(mine), bool),
        weight=scans.weight[mine],
        position_var=_position_variance(scans.drift[drone, mine], scans.reach[drone, mine])
        + _position_variance(paths.variances[other, mine], paths.reach[other, mine]),
        bearing_var=scans.noise[0] + 0.5 * scans.drift[drone, mine, 3],
        range_var=np.full(len(mine), scans.noise[1]),
    )


def _position_variance(variances: FloatArray, reach: FloatArray) -> FloatArray:
    """Return (f,) mean variance along an axis of x, y, z and of a yaw on a squared lever."""
    return np.asarray(variances[:, :3].mean(axis=1) + variances[:, 3] * reach / 3.0)


def in_view(
    opportunities: ViewOpportunities, pose: FloatArray, parameters: SensorParameters
) -> FloatArray:
    """Return (f,) probabilities of a sighting in view, of the drone at a pose (4,) or by it.

    The edge of the view is softened by the uncertainty of position and bearing, so that the number
    of sightings that misses cost is the integral of the density of a sighting over the view. Where
    the camera sits on the drone is neglected.
    """
    own = opportunities.own[:, None]
    turn = yaw_rotation(pose[3])
    observer = np.where(own, pose[:3] + opportunities.observer @ turn.T, opportunities.observer)
    target = np.where(own, opportunities.target, pose[:3] + opportunities.target @ turn.T)
    yaw = opportunities.yaw + np.where(opportunities.own, pose[3], 0.0)
    levelled = np.einsum('nji,nj->ni', yaw_rotation(yaw), target - observer)
    points = np.einsum('nij,nj->ni', opportunities.optical, levelled)
    horizontal, vertical = opportunities.half_view.T
    view = FieldOfView(
        half_horizontal=horizontal,
        half_vertical=vertical,
        min_range=parameters.min_range,
        max_range=parameters.max_range,
        wide=horizontal >= np.pi / 2.0,
    )
    angle = opportunities.position_var / np.maximum(np.sum(points**2, axis=1), 1e-6)
    bearing_sigma = np.sqrt(opportunities.bearing_var + angle)
    return view_probability(points, view, bearing_sigma, np.sqrt(opportunities.range_var + angle))
