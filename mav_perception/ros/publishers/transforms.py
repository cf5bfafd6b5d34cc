"""tf: map -> mavN/odom, where tf2_ros is installed."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node

from mav_perception.geometry import quaternion_from_euler, wrap_angle, yaw_rotation
from mav_perception.localization.queries import DronePose
from mav_perception.ros.messages.conversions import ns_to_stamp

try:
    from tf2_ros import TransformBroadcaster
except ModuleNotFoundError:
    TransformBroadcaster = None


class OdometryTransforms:
    """Broadcasts where each drone's odometry frame lies in map."""

    def __init__(self, node: Node, map_frame: str, wanted: bool) -> None:
        """Open the broadcaster, or log once why there is none."""
        self._map_frame = map_frame
        self._broadcaster: Any = None
        if wanted and TransformBroadcaster is None:
            node.get_logger().info('tf2_ros is not installed: no map -> odom transforms.')
        elif wanted:
            self._broadcaster = TransformBroadcaster(node)

    def publish(self, pose: DronePose, child_frame: str) -> None:
        """Broadcast T_map_odom = T_map_body T_odom_body^-1, both at the time of the pose."""
        if self._broadcaster is None:
            return
        raw = pose.odometry.raw
        turn = wrap_angle(pose.mean[3] - raw[3])
        origin = pose.mean[:3] - yaw_rotation(turn) @ raw[:3]
        message = TransformStamped()
        message.header.stamp = ns_to_stamp(pose.stamp_ns)
        message.header.frame_id, message.child_frame_id = self._map_frame, child_frame
        x, y, z, w = (float(v) for v in quaternion_from_euler([0.0, 0.0, float(turn)]))
        translation, rotation = message.transform.translation, message.transform.rotation
        translation.x, translation.y, translation.z = (float(v) for v in origin)
        rotation.x, rotation.y, rotation.z, rotation.w = x, y, z, w
        self._broadcaster.sendTransform(message)
