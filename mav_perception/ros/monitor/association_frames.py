"""What the filter told of its associations, as the report wants it."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import PointCloud2

from mav_perception.errors import InputError
from mav_perception.evaluation.flight.flight_associations import AssociatedFrame
from mav_perception.io.messages import cloud_to_table, stamp_to_ns
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.ros.messages.point_clouds import ASSOCIATION_FIELDS


def cloud_to_frame(message: PointCloud2, observer: int, mount: CameraMount) -> AssociatedFrame:
    """Return what the filter told of a frame of one camera, or raise InputError."""
    what = 'Associations'
    table = cloud_to_table(message, ASSOCIATION_FIELDS, what)
    if not np.isfinite(table).all() or not table[:, 7:].any(axis=1).all():
        raise InputError(f'{what} hold NaN, or a sighting in the camera itself.')
    nis, size = table[0, 5:7] if len(table) else (0.0, 0.0)
    return AssociatedFrame(
        stamp_ns=stamp_to_ns(message.header.stamp),
        observer=observer,
        mount=mount,
        positions=table[:, 7:],
        origin=table[:, 3].astype(np.int64),
        nis=float(nis),
        nis_size=int(size),
    )
