"""Which drone each sighting was assigned to, as a topic of each camera."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.team.team_file import DroneEntry
from mav_perception.localization.update.report import UpdateReport
from mav_perception.ros.messages.conversions import ns_to_stamp
from mav_perception.ros.messages.point_clouds import ASSOCIATION_FIELDS, table_to_cloud
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.topics import ASSOCIATIONS, below, in_namespace
from mav_perception.types import FloatArray, Sightings


class AssociationPublishers:
    """Publishes the associations of each camera's frames, only while somebody listens."""

    def __init__(
        self,
        node: SelfActivatingNode,
        entries: tuple[DroneEntry, ...],
        base: str,
        prefix: str,
        map_frame: str,
    ) -> None:
        """Advertise in the namespace of each camera, below that of the team or the prefix."""
        self._map_frame = map_frame
        self._publisher_of = {
            (entry.name, camera.name): node.advertise(
                PointCloud2,
                in_namespace(below(entry.camera_namespace(camera), prefix), ASSOCIATIONS, base),
                10,
            )
            for entry in entries
            for camera in entry.cameras
        }

    def publish(
        self, localizer: TeamLocalizer, sightings: Sightings, report: UpdateReport | None
    ) -> None:
        """Publish what became of the sightings of a frame, without a report that it is unused."""
        publisher = self._publisher_of[sightings.observer, sightings.camera]
        if not publisher.get_subscription_count():
            return
        if report is None:
            self.publish_unused(sightings.observer, sightings.camera, sightings.stamp_ns)
            return
        drones, probability = report.best_associations()
        whole = np.broadcast_to([report.nis, report.nis_size], (len(sightings), 2))
        # In map, so that viewers need no transforms; in the optical frame, as they were seen.
        positions = localizer.sighting_positions(report)
        table = np.column_stack([positions, drones, probability, whole, sightings.positions])
        publisher.publish(self._cloud(sightings.stamp_ns, table))

    def publish_unused(self, drone: str, camera: str, stamp_ns: int) -> None:
        """Publish an empty cloud: a frame is done with, but was not used."""
        nothing = np.zeros((0, len(ASSOCIATION_FIELDS)))
        self._publisher_of[drone, camera].publish(self._cloud(stamp_ns, nothing))

    def _cloud(self, stamp_ns: int, table: FloatArray) -> PointCloud2:
        header = Header(stamp=ns_to_stamp(stamp_ns), frame_id=self._map_frame)
        return table_to_cloud(ASSOCIATION_FIELDS, table, header)
