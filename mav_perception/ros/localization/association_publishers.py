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
from mav_perception.types import Sightings


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
        """Publish what became of the sightings of a frame.

        An empty cloud stands for a frame that is done with, but was not used: no report.
        """
        publisher = self._publisher_of[sightings.observer, sightings.camera]
        if not publisher.get_subscription_count():
            return
        table = np.zeros((0, len(ASSOCIATION_FIELDS)))
        if report is not None:
            drones, probability = report.best_associations()
            whole = np.broadcast_to([report.nis, report.nis_size], (len(sightings), 2))
            # In map, so that viewers need no transforms; in the optical frame, as they were seen.
            positions = localizer.sighting_positions(report)
            table = np.column_stack([positions, drones, probability, whole, sightings.positions])
        header = Header(stamp=ns_to_stamp(sightings.stamp_ns), frame_id=self._map_frame)
        publisher.publish(table_to_cloud(ASSOCIATION_FIELDS, table, header))
