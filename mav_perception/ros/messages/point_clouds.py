"""Point clouds <-> sightings, and tables of float32 fields in general."""

from __future__ import annotations

from array import array

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

from mav_perception.detection.measurements import cartesian_covariances
from mav_perception.io.messages import SIGHTING_FIELDS
from mav_perception.types import FloatArray, Sightings

ASSOCIATION_FIELDS = (
    'x', 'y', 'z', 'drone', 'probability', 'nis', 'nis_dof', 'optical_x', 'optical_y', 'optical_z',
)  # fmt: skip
"""float32 fields of a PointCloud2 of associations, in this order.

`drone` is the index in the team, that of a static object after the drones, or -1 for a false
sighting; `nis` of `nis_dof` degrees of freedom is that of the whole frame.
"""

UPPER = np.triu_indices(3)


def sightings_to_cloud(sightings: Sightings, header: Header) -> PointCloud2:
    """Return the point cloud of one frame; an empty one says 'looked, saw nobody'."""
    covariance = cartesian_covariances(sightings)
    table = np.column_stack(
        [
            sightings.positions,
            sightings.bearing_var,
            sightings.range_var,
            sightings.score,
            covariance[:, UPPER[0], UPPER[1]],
        ]
    )
    return table_to_cloud(SIGHTING_FIELDS, table, header)


def table_to_cloud(names: tuple[str, ...], table: FloatArray, header: Header) -> PointCloud2:
    """Return a cloud with a row of the table as each point."""
    message = PointCloud2(header=header, height=1, width=len(table), is_dense=True)
    message.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(names)
    ]
    message.point_step = 4 * len(names)
    message.row_step = message.point_step * len(table)
    message.data = array('B', table.astype('<f4').tobytes())
    return message
