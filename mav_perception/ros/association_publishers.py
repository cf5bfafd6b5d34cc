"""For whom the filter took every sighting, as a topic of each camera."""

from __future__ import annotations

import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from mav_perception.localization.team_file import DroneEntry
from mav_perception.localization.update import UpdateReport
from mav_perception.ros.clouds import table_to_cloud
from mav_perception.ros.conversions import ns_to_stamp
from mav_perception.ros.names import ASSOCIATIONS, in_namespace, optical_frame
from mav_perception.types import Sightings

ASSOCIATION_FIELDS = ('x', 'y', 'z', 'drone', 'probability', 'nis', 'nis_dof')
"""float32 fields of a PointCloud2 of associations, in this order."""


def associations_to_cloud(
    sightings: Sightings, report: UpdateReport, frame_id: str
) -> PointCloud2:
    """Return the sightings of a frame and for whom the filter took each.

    `drone` is the index in the team, or that of a static object after the drones, -1 for a false
    sighting; `nis` of `nis_dof` degrees of freedom is that of the whole frame.
    """
    taken, probability = report.taken()
    whole = np.broadcast_to([report.nis, report.nis_size], (len(sightings), 2))
    table = np.column_stack([sightings.positions, taken, probability, whole])
    header = Header(stamp=ns_to_stamp(sightings.stamp_ns), frame_id=frame_id)
    return table_to_cloud(ASSOCIATION_FIELDS, table, header)


class AssociationPublishers:
    """Publishes the associations of each camera's frames, only while somebody listens."""

    def __init__(self, node: LifecycleNode, entries: tuple[DroneEntry, ...], prefix: str) -> None:
        """Advertise in the namespace of each camera, after a prefix."""
        self._node = node
        self._publisher_of = {
            (entry.name, camera.name): node.create_lifecycle_publisher(
                PointCloud2,
                in_namespace(prefix + entry.camera_namespace(camera), ASSOCIATIONS),
                10,
            )
            for entry in entries
            for camera in entry.cameras
        }

    def publish(self, sightings: Sightings, report: UpdateReport) -> None:
        """Publish what became of the sightings of a frame."""
        publisher = self._publisher_of[sightings.observer, sightings.camera]
        if publisher.get_subscription_count():
            frame = optical_frame(sightings.observer, sightings.camera)
            publisher.publish(associations_to_cloud(sightings, report, frame))

    def close(self) -> None:
        """Release the publishers."""
        for publisher in self._publisher_of.values():
            self._node.destroy_lifecycle_publisher(publisher)
