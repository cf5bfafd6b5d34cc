"""The poses of the team as topics and transforms; a pose that jumps is announced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped

from mav_perception.geometry import quaternion_from_euler, wrap_angle
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.prediction.motion import moved_by_odometry
from mav_perception.localization.queries import DronePose
from mav_perception.localization.team.team_file import DroneEntry
from mav_perception.parameters import parameter
from mav_perception.ros.localization.transforms import TeamTransforms
from mav_perception.ros.messages.conversions import fill_pose, ns_to_stamp
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.topics import POSE, below, in_namespace
from mav_perception.types import seconds


@dataclass(frozen=True)
class PoseParameters:
    """Parameters of localization_node that are about its poses."""

    map_frame: str = parameter('map', 'frame of the poses')
    pose_prefix: str = parameter(
        '', 'namespace before all that is published, where every drone runs a filter of its own'
    )
    announced_jump: float = parameter(
        0.5, 'a pose that is corrected by more is announced [m]', 0.0, 1000.0
    )
    announced_turn: float = parameter(
        0.3, 'a yaw that is corrected by more is announced [rad]', 0.0, 3.1416
    )


class PosePublishers:
    """Publishes the pose of each localized drone, once for a stamp; its stamps only grow."""

    def __init__(
        self,
        node: SelfActivatingNode,
        entries: tuple[DroneEntry, ...],
        settings: PoseParameters,
        base: str,
        transforms: TeamTransforms,
    ) -> None:
        """Advertise in the namespace of each drone, below that of the team or the prefix."""
        names = tuple(entry.name for entry in entries)
        self._node, self._diagnostics, self._names = node, node.diagnostics, names
        self._settings, self._transforms = settings, transforms
        self._publishers = [
            node.advertise(
                PoseWithCovarianceStamped,
                in_namespace(below(entry.namespace, settings.pose_prefix), POSE, base),
                10,
            )
            for entry in entries
        ]
        self._last: dict[int, DronePose] = {}
        self._stamps = [0] * len(names)

    def forget(self) -> None:
        """Begin anew: the next pose of a drone follows nothing."""
        self._last.clear()
        self._transforms.forget()
        self._stamps = [0] * len(self._names)

    def publish(self, localizer: TeamLocalizer, drone: int, stamp_ns: int) -> bool:
        """Publish the pose of a drone at a stamp, if that is new; tell whether it is localized."""
        if stamp_ns <= self._stamps[drone]:
            return bool(localizer.localized[drone])
        pose = self._finite(localizer.pose(drone, stamp_ns), drone)
        self._transforms.located(self._names[drone], pose)
        if pose is None:
            return False
        self._stamps[drone] = stamp_ns
        self._announce_jump(drone, pose)
        self._publishers[drone].publish(pose_message(pose, self._settings.map_frame))
        late = seconds(self._node.get_clock().now().nanoseconds - stamp_ns)
        self._diagnostics.set(f'{self._names[drone]} latency ms', f'{1e3 * late:.0f}')
        return True

    def _finite(self, pose: DronePose | None, drone: int) -> DronePose | None:
        """Return a pose, none in place of one that holds NaN or infinity."""
        if pose is None or (np.isfinite(pose.mean).all() and np.isfinite(pose.covariance).all()):
            return pose
        name = self._names[drone]
        self._diagnostics.problem(
            f'numbers of {name}',
            f'The pose of {name} or its covariance is not finite and is not published: please '
            'report it with a bag.',
        )
        return None

    def _announce_jump(self, drone: int, pose: DronePose) -> None:
        """Say so when a pose is not where the last one and the odometry since then lead to."""
        last = self._last.get(drone)
        self._last[drone] = pose
        if last is None:
            return
        expected = moved_by_odometry(last.mean, last.odometry, pose.odometry)
        metres = float(np.linalg.norm(pose.mean[:3] - expected[:3]))
        radians = abs(float(wrap_angle(pose.mean[3] - expected[3])))
        limits = self._settings
        if metres > limits.announced_jump or radians > limits.announced_turn:
            name = self._names[drone]
            self._diagnostics.problem(
                f'jump of {name}',
                f'The pose of {name} was corrected by {metres:.2f} m and '
                f'{np.degrees(radians):.0f} degrees at {seconds(pose.stamp_ns):.2f} s: whoever '
                'steers by it must not take that for motion.',
            )


def pose_message(pose: DronePose, map_frame: str) -> PoseWithCovarianceStamped:
    """Return the pose of a drone in map with its marginal covariance (row-major, REP-103)."""
    message = PoseWithCovarianceStamped()
    message.header.stamp = ns_to_stamp(pose.stamp_ns)
    message.header.frame_id = map_frame
    x, y, z, yaw = pose.mean
    quaternion = quaternion_from_euler(np.array([*pose.odometry.roll_pitch, yaw]))
    fill_pose(message.pose.pose, np.array([x, y, z]), quaternion)
    covariance = np.zeros((6, 6))
    axes = np.array([0, 1, 2, 5])
    covariance[np.ix_(axes, axes)] = pose.covariance
    # Roll and pitch come from the VIO, which knows them from gravity to about a degree.
    covariance[3, 3] = covariance[4, 4] = np.radians(1.0) ** 2
    message.pose.covariance = covariance.ravel()
    return message
