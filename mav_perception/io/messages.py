"""What messages say, in arrays. They may be of ROS or of rosbags, which needs no ROS."""

from __future__ import annotations

from typing import Any

import numpy as np

from mav_perception.errors import InputError
from mav_perception.geometry import is_rotation, roll_pitch_yaw
from mav_perception.types import NANOSECONDS, FloatArray, OdometrySample, Sightings

FLOAT32 = 7
"""sensor_msgs/msg/PointField.FLOAT32."""

SIGHTING_FIELDS = (
    'x', 'y', 'z', 'bearing_var', 'range_var', 'score',
    'cov_xx', 'cov_xy', 'cov_xz', 'cov_yy', 'cov_yz', 'cov_zz',
)  # fmt: skip
"""float32 fields of a PointCloud2 of relative measurements, in this order."""


def stamp_to_ns(stamp: Any) -> int:
    """Convert a message stamp to integer nanoseconds."""
    return int(stamp.sec) * NANOSECONDS + int(stamp.nanosec)


def odometry_to_sample(message: Any) -> OdometrySample:
    """Return the pose of an odometry message; the filter checks its values."""
    position, rotation = message.pose.pose.position, message.pose.pose.orientation
    return OdometrySample(
        stamp_to_ns(message.header.stamp),
        np.array([position.x, position.y, position.z]),
        np.array([rotation.x, rotation.y, rotation.z, rotation.w]),
    )


def pose_from_message(pose: Any) -> FloatArray:
    """Return x, y, z, yaw (4,) of a geometry_msgs/Pose.

    Raises:
        InputError: NaN, infinity or no rotation, as of a motion capture that lost its target.
    """
    p, q = pose.position, pose.orientation
    quaternion = np.array([q.x, q.y, q.z, q.w])
    if not (np.isfinite([p.x, p.y, p.z]).all() and is_rotation(quaternion)):
        norm = np.linalg.norm(quaternion)
        raise InputError(f'a pose is not finite, or its quaternion has norm {norm:.2f}, not 1')
    return np.array([p.x, p.y, p.z, roll_pitch_yaw(quaternion)[2]])


def cloud_to_sightings(message: Any, observer: str) -> Sightings:
    """Return the sightings of a point cloud, or raise InputError that names the missing field."""
    table = cloud_to_table(message, SIGHTING_FIELDS[:6], f'Relative measurements of {observer}')
    bearing_var, range_var, score = table[:, 3:].T.copy()
    return Sightings(
        observer=observer,
        stamp_ns=stamp_to_ns(message.header.stamp),
        positions=table[:, :3],
        bearing_var=bearing_var,
        range_var=range_var,
        score=score,
    )


def cloud_to_table(message: Any, needed: tuple[str, ...], what: str) -> FloatArray:
    """Return (points, fields) of some float32 fields of a cloud.

    Raises:
        InputError: one of them is missing, or the message is too short.
    """
    offsets = {f.name: f.offset for f in message.fields if f.datatype == FLOAT32}
    missing = [name for name in needed if name not in offsets]
    count = message.width * message.height
    if missing:
        raise InputError(
            f'{what} lack the float32 field {missing[0]!r}: publish {", ".join(needed)} as the '
            'nodes of this package do.'
        )
    if len(message.data) < count * message.point_step:
        raise InputError(
            f'{what}: {count} points of {message.point_step} bytes need '
            f'{count * message.point_step} bytes, the message has {len(message.data)}.'
        )
    order = '>f4' if message.is_bigendian else '<f4'
    try:
        layout = np.dtype(
            {
                'names': list(needed),
                'formats': [order] * len(needed),
                'offsets': [offsets[name] for name in needed],
                'itemsize': message.point_step,
            }
        )
    except ValueError as error:
        raise InputError(
            f'{what} have fields outside a point of {message.point_step} bytes ({error}): fill '
            'offset and point_step.'
        ) from error
    points = np.frombuffer(message.data, layout, count)
    return np.column_stack([points[name].astype(float) for name in needed])
