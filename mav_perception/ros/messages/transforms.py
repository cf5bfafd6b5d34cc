"""tf without tf2_ros: a broadcaster is a publisher of tf2_msgs/TFMessage, where that is built."""

from __future__ import annotations

from geometry_msgs.msg import TransformStamped
from rclpy.qos import DurabilityPolicy, QoSProfile

from mav_perception.ros.messages.conversions import ns_to_stamp
from mav_perception.ros.messages.optional import optional_messages
from mav_perception.types import FloatArray

tf2_msgs, WITHOUT_TF = optional_messages('tf2_msgs')
"""The package and, where it cannot be used, why: else no text."""

TF, TF_STATIC = '/tf', '/tf_static'

TF_QOS = QoSProfile(depth=100)
TF_STATIC_QOS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def transform(
    stamp_ns: int, parent: str, child: str, translation: FloatArray, quaternion: FloatArray
) -> TransformStamped:
    """Return where a frame lies in its parent.

    Args:
        stamp_ns: from when on.
        parent: frame.
        child: frame.
        translation: (3,) of the child's origin, metres.
        quaternion: (4,) x, y, z, w of its axes.
    """
    message = TransformStamped()
    message.header.stamp = ns_to_stamp(stamp_ns)
    message.header.frame_id, message.child_frame_id = parent, child
    there, turned = message.transform.translation, message.transform.rotation
    there.x, there.y, there.z = (float(v) for v in translation)
    turned.x, turned.y, turned.z, turned.w = (float(v) for v in quaternion)
    return message
