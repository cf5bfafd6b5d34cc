"""Drones whose pose is known: where they were at the times of the buffered scans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.types import BoolArray, FloatArray

AGREES = 4.0
"""Standard deviations within which two accounts of where a drone was are the same."""


@dataclass(frozen=True)
class KnownPaths:
    """Where drones whose pose is known were at the F scans.

    Attributes:
        poses, variances: (N, F, 4) in map.
        reach: (N, F) squared lever on which the variance of the yaw moves the position, m^2.
        known: (N, F) whether that can be told at all.
        tracked: (N, F) whether the filter had them there then, so that odometry need not tell.
    """

    poses: FloatArray
    variances: FloatArray
    reach: FloatArray
    known: BoolArray
    tracked: BoolArray


@dataclass(frozen=True)
class KnownDrones:
    """Drones and static objects whose pose is known.

    Attributes:
        poses, variances: (N, 4) of the drones now.
        known: (N,) which of them are known.
        objects: (O, 3) static objects.
    """

    poses: FloatArray
    variances: FloatArray
    known: BoolArray
    objects: FloatArray

    @classmethod
    def alone(
        cls, drone: int, pose: FloatArray, variances: FloatArray, drones: int
    ) -> KnownDrones:
        """Return that of so many drones one is known, at a pose (4,) with variances (4,)."""
        known = np.arange(drones) == drone
        return cls(known[:, None] * pose, known[:, None] * variances, known, np.zeros((0, 3)))

    def with_drone(self, drone: int, pose: FloatArray, variances: FloatArray) -> KnownDrones:
        """Return that one more is known, at a pose (4,) with variances (4,)."""
        mine = np.arange(len(self.known)) == drone
        return KnownDrones(
            poses=np.where(mine[:, None], pose, self.poses),
            variances=np.where(mine[:, None], variances, self.variances),
            known=self.known | mine,
            objects=self.objects,
        )

    def paths(self, scans: StackedScans) -> KnownPaths:
        """Return where they were: where the filter had them then, or their odometry back from now.

        Odometry adds its drift; that of poor odometry is metres after a minute. Where the filter
        had a drone counts unless what it knows now tells otherwise: the drone was lost meanwhile.
        """
        back = scans.back @ np.swapaxes(yaw_rotation(self.poses[:, 3]), 1, 2)
        yaw = self.poses[:, None, 3] + scans.turned
        poses = np.concatenate([self.poses[:, None, :3] + back, yaw[..., None]], axis=2)
        variances = scans.drift + self.variances[:, None]
        spread = variances + scans.variances
        sigma = np.sqrt(spread[..., :3].max(axis=-1) + 0.5 * spread[..., 3] * scans.reach)
        apart = np.linalg.norm((scans.poses - poses)[..., :3], axis=-1)
        turned = np.abs(wrap_angle(scans.poses[..., 3] - yaw))
        tracked = (apart < AGREES * sigma) & (turned < AGREES * np.sqrt(spread[..., 3]))
        tracked &= self.known[:, None]  # NaN agrees with nothing
        told = tracked[..., None]
        return KnownPaths(
            poses=np.where(told, scans.poses, poses),
            variances=np.where(told, scans.variances, variances),
            reach=np.where(tracked, 0.0, scans.reach),
            known=tracked | scans.path_known,
            tracked=tracked,
        )
