"""tf of the team: map -> odometry frame of each drone, and its base -> its cameras.

The frames are those of the messages: `header.frame_id` and `child_frame_id` of the odometry, and
the frame of the clouds. Whoever publishes the odometry publishes odometry frame -> base.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from scipy.spatial.transform import Rotation

from mav_perception.geometry import quaternion_from_euler, wrap_angle, yaw_rotation
from mav_perception.io.messages import stamp_to_ns
from mav_perception.localization.queries import DronePose
from mav_perception.localization.team.team_file import CameraEntry, DroneEntry
from mav_perception.parameters import parameter
from mav_perception.ros.localization.frames import FrameNames
from mav_perception.ros.messages.transforms import (
    TF,
    TF_QOS,
    TF_STATIC,
    TF_STATIC_QOS,
    WITHOUT_TF,
    tf2_msgs,
    transform,
)
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.types import FloatArray, nanoseconds

OTHERS_FIRST = 1.0
"""Seconds in which others may tell where a camera sits before this node does."""


@dataclass(frozen=True)
class TransformParameters:
    """Parameters of localization_node that are about tf."""

    publish_tf: bool = parameter(
        True, 'publish map -> odometry frame where tf2_msgs is; never with a pose_prefix'
    )
    publish_camera_tf: bool = parameter(
        True,
        'with publish_tf: base -> camera of team.yaml on /tf_static, unless somebody else does',
    )
    transform_tolerance: float = parameter(
        0.1,
        'a transform is dated so far ahead that whoever looks it up need not wait [s]',
        0.0,
        2.0,
    )
    odometry_frame: str = parameter(
        '', 'odometry frame of a drone, {name} stands for it; empty for that of its odometry'
    )
    base_frame: str = parameter(
        '', 'body frame of a drone, {name} stands for it; empty for that of its odometry'
    )


class TeamTransforms:
    """Publishes the transforms of all drones."""

    def __init__(
        self,
        node: SelfActivatingNode,
        entries: tuple[DroneEntry, ...],
        map_frame: str,
        settings: TransformParameters,
        wanted: bool,
    ) -> None:
        """Advertise where tf2_msgs is built, or log once why not."""
        self._settings, self._map_frame = settings, map_frame
        self._entries = {entry.name: entry for entry in entries}
        hint = 'give them frames of their own, or set {}: "{{name}}/{}"'
        self._odometry_frames = FrameNames(
            'odometry', node.diagnostics, settings.odometry_frame, '{name}/odom',
            hint.format('odometry_frame', 'odom'),
        )  # fmt: skip
        self._base_frames = FrameNames(
            'base', node.diagnostics, settings.base_frame, '{name}/base_link',
            hint.format('base_frame', 'base_link'),
        )  # fmt: skip
        self._camera_frames = FrameNames(
            'camera', node.diagnostics, '', '{name}_optical', 'give each camera a frame of its own'
        )
        self._in_map: dict[str, tuple[FloatArray, FloatArray]] = {}
        self._newest: dict[str, int] = {}
        self._static: dict[str, TransformStamped] = {}
        self._told_by_others: set[str] = set()
        self._since = time.monotonic()
        self._publisher: Any = None
        self._static_publisher: Any = None
        if wanted and WITHOUT_TF:
            node.get_logger().info(f'No transforms: {WITHOUT_TF}')
            return
        if wanted:
            self._publisher = node.advertise(tf2_msgs.TFMessage, TF, TF_QOS)
        if settings.publish_camera_tf and wanted:
            self._static_publisher = node.advertise(tf2_msgs.TFMessage, TF_STATIC, TF_STATIC_QOS)

    def begin(self, node: SelfActivatingNode) -> None:
        """Listen to what others say of the cameras."""
        self._since = time.monotonic()
        if self._static_publisher is not None:
            node.listen_to(tf2_msgs.TFMessage, TF_STATIC, self._on_static, TF_STATIC_QOS)

    def located(self, drone: str, pose: DronePose | None) -> None:
        """Take where a drone is: T_map_odom = T_map_body T_odom_body^-1. None: it is not known."""
        if pose is None:
            self._in_map.pop(drone, None)
            return
        raw = pose.odometry.raw
        turn = float(wrap_angle(pose.mean[3] - raw[3]))
        origin = pose.mean[:3] - yaw_rotation(turn) @ raw[:3]
        self._in_map[drone] = origin, quaternion_from_euler([0.0, 0.0, turn])

    def heard(self, drone: str, odometry: Odometry) -> None:
        """Publish where the odometry frame lies, dated so that this odometry can be looked up."""
        if self._publisher is None:
            return
        frame = self._odometry_frames.heard(drone, odometry.header.frame_id)
        self._base_frames.heard(drone, odometry.child_frame_id)
        stamp_ns = stamp_to_ns(odometry.header.stamp)
        stamp_ns += nanoseconds(self._settings.transform_tolerance)
        if frame is None or drone not in self._in_map or stamp_ns <= self._newest.get(drone, 0):
            return
        self._newest[drone] = stamp_ns
        message = transform(stamp_ns, self._map_frame, frame, *self._in_map[drone])
        self._publisher.publish(tf2_msgs.TFMessage(transforms=[message]))

    def saw_cloud(self, drone: str, camera: str, frame: str) -> None:
        """Take the frame of a camera; when its drone has a base, say where it sits on that."""
        if self._static_publisher is None or time.monotonic() - self._since < OTHERS_FIRST:
            return
        entry = self._entries[drone]
        key = f'{drone}/{camera or "camera"}'
        child, base = self._camera_frames.heard(key, frame), self._base_frames.of(drone)
        if child is None or base is None or child in self._told_by_others:
            return
        if child in self._static and self._static[child].header.frame_id == base:
            return
        mount = next(c for c in entry.cameras if c.name == camera)
        self._static[child] = camera_transform(base, child, mount)
        self._static_publisher.publish(tf2_msgs.TFMessage(transforms=list(self._static.values())))

    def forget(self) -> None:
        """Begin anew: no drone is known to be anywhere."""
        self._in_map.clear()
        self._newest.clear()

    def _on_static(self, message: Any) -> None:
        """Leave a camera to whoever else says where it sits."""
        for item in message.transforms:
            ours = self._static.get(item.child_frame_id)
            if ours is None or ours.transform != item.transform:
                self._told_by_others.add(item.child_frame_id)


def camera_transform(base: str, child: str, camera: CameraEntry) -> TransformStamped:
    """Return where the optical frame of a camera lies on its drone, for all times."""
    mount = camera.mount()
    turned = Rotation.from_matrix(mount.rotation.T).as_quat()
    return transform(0, base, child, mount.translation, turned)
