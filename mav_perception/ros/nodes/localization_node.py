"""Nameless sightings and odometry of all drones -> pose of every drone in one frame."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from functools import partial
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.parameter import Parameter
from sensor_msgs.msg import PointCloud2
from visualization_msgs.msg import MarkerArray

from mav_perception.errors import LateError, MavPerceptionError
from mav_perception.io.messages import cloud_to_sightings, odometry_to_sample, stamp_to_ns
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.team_file import load_team, team_from_entries, team_path
from mav_perception.localization.timing.sighting_queue import check_stamp
from mav_perception.ros.localization.association_publishers import AssociationPublishers
from mav_perception.ros.localization.checkpoint_file import CheckpointFile
from mav_perception.ros.localization.frame_intake import FrameIntake
from mav_perception.ros.localization.joint_filter_diagnostics import (
    describe_frames,
    describe_parameters,
    describe_team,
    describe_update,
)
from mav_perception.ros.localization.localization_parameters import LocalizationNodeParameters
from mav_perception.ros.localization.pose_publishers import PoseParameters, PosePublishers
from mav_perception.ros.localization.transforms import TeamTransforms, TransformParameters
from mav_perception.ros.messages.markers import TeamMarkers
from mav_perception.ros.runtime.lifecycle import SelfActivatingNode
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import changed, read_parameters
from mav_perception.ros.runtime.timers import steady_timer
from mav_perception.topics import MARKERS, RELATIVE_MEASUREMENTS, in_namespace, team_base
from mav_perception.types import Sightings, seconds

WITHOUT_FRAMES = 1.0
"""A drone without a frame for so many seconds has its pose published at `publish_rate`."""

CLOCK_JUMPED = 50
"""So many odometry messages too late in a row, of all drones, mean that the clock jumped back."""


class LocalizationNode(SelfActivatingNode):
    """One node for the whole team: reads all drones' small topics and runs the joint filter."""

    def __init__(self) -> None:
        """Declare parameters; the filter is built in configure."""
        kinds = (FilterParameters, LocalizationNodeParameters, PoseParameters, TransformParameters)
        super().__init__('localization_node', *kinds)

    def load(self) -> None:
        """Build team, filter and publishers from the parameters."""
        self._settings = parameters = read_parameters(self, LocalizationNodeParameters)
        self._entries = load_team(team_path(parameters.team_file))
        self._team = team_from_entries(self._entries)
        poses = read_parameters(self, PoseParameters)
        tf = read_parameters(self, TransformParameters)
        wanted = tf.publish_tf and not poses.pose_prefix
        self._transforms = TeamTransforms(self, self._entries, poses.map_frame, tf, wanted)
        self._base = team_base(self.get_namespace(), parameters.team_namespace)
        out, prefix = poses.pose_prefix or self._base, poses.pose_prefix
        self._poses = PosePublishers(self, self._entries, poses, out, self._transforms)
        self._associations = AssociationPublishers(
            self, self._entries, out, prefix, poses.map_frame
        )
        self._searching = ThreadPoolExecutor(1, 'search')
        self._begin()
        self._checkpoint = CheckpointFile(
            parameters.checkpoint_file, parameters.checkpoint_age, self.diagnostics
        )
        self._markers = TeamMarkers(self._team.names, poses.map_frame)
        self._marker_publisher = self.advertise(MarkerArray, in_namespace('', MARKERS, out), 2)

    def _begin(self) -> None:
        """Start from nothing, at first and when the clock has jumped."""
        joint_filter = CoupledPdaFilter(self._team, read_parameters(self, FilterParameters))
        self._localizer = TeamLocalizer(joint_filter)
        self._localizer.search_beside(self._searching)
        describe_parameters(self.diagnostics, joint_filter.parameters)
        self._frames = FrameIntake(self._team.names, self._settings, self.diagnostics)
        self._poses.forget()
        self._late_in_a_row = 0
        self._framed_ns = [0] * len(self._entries)

    def start(self) -> None:
        """Subscribe to every drone and start the timer."""
        qos, sightings_qos = self._settings.odometry_qos, self._settings.measurement_qos
        for entry in self._entries:
            heard = partial(self._on_odometry, drone=entry.name)
            self._listen_to_drone(Odometry, entry.namespace, entry.odometry, qos, 100, heard)
            for camera in entry.cameras:
                space = entry.camera_namespace(camera)
                heard = partial(self._on_measurements, drone=entry.name, camera=camera.name)
                self._listen_to_drone(
                    PointCloud2, space, RELATIVE_MEASUREMENTS, sightings_qos, 20, heard
                )
        self._transforms.begin(self)
        self._timer = steady_timer(self, 1.0 / self._settings.publish_rate, self._on_timer)

    def halt(self) -> None:
        """Stop the timer."""
        self.destroy_timer(self._timer)

    def unload(self) -> None:
        """End the search; the next configure starts a new filter."""
        self._searching.shutdown(wait=False, cancel_futures=True)

    def retune(self, changes: list[Parameter]) -> None:
        """Take new filter parameters into the flight; the rest is read at configure."""
        known = {item.name for item in fields(FilterParameters)}
        others = [change for change in changes if change.name not in known]
        if others:
            super().retune(others)
        self._localizer.retune(changed(self._localizer.parameters, changes))
        describe_parameters(self.diagnostics, self._localizer.parameters)

    def _listen_to_drone(
        self, kind: type, namespace: str, topic: str, qos: str, depth: int, handle: Any
    ) -> None:
        """Subscribe to one topic of one drone, watched for silence and bad QoS."""

        def on_message(message: Any) -> None:
            self._attempt(f'{topic} of {namespace}', handle, message)
            self._process()

        self.listen(kind, in_namespace(namespace, topic, self._base), on_message, qos, depth)

    def _on_odometry(self, message: Odometry, drone: str) -> None:
        sample = odometry_to_sample(message)
        self._check_stamp(sample.stamp_ns, f'Odometry of {drone}')
        parameters = self._localizer.parameters
        resumed = self._checkpoint.resumed(self._team, parameters, sample.stamp_ns)
        self._localizer = resumed or self._localizer
        self._localizer.search_beside(self._searching)
        try:
            notice = self._localizer.add_odometry(drone, sample)
        except LateError:
            self._late_in_a_row += 1
            if self._late_in_a_row >= CLOCK_JUMPED:
                self._begin()
                self.diagnostics.problem(
                    'clock_jump',
                    'All odometry is older than before: the clock jumped back or a bag was '
                    'started again. The filter starts anew.',
                )
            raise
        self._late_in_a_row = 0
        self._frames.heard(drone)
        self.diagnostics.count('odometry')
        if notice:
            self._transforms.located(drone, None)  # its odometry counts from elsewhere now
            self.diagnostics.problem(f'{notice.code} of {drone}', f'{drone}: {notice.text}')
        self._transforms.heard(drone, message)

    def _on_measurements(self, message: PointCloud2, drone: str, camera: str) -> None:
        stamp_ns, fates = stamp_to_ns(message.header.stamp), self._frames.fates[drone]
        fates.arrived += bool(stamp_ns)
        try:
            sightings = replace(cloud_to_sightings(message, drone), camera=camera)
            self._check_stamp(sightings.stamp_ns, f'Sightings of {drone}')
        except MavPerceptionError as error:
            if stamp_ns:  # without a stamp it is no frame of the flight
                fates.refuse(str(error))
                self._associations.publish_unused(drone, camera, stamp_ns)
            raise
        if not stamp_ns:
            return  # a simulator wakes the chain up as its time begins
        self._transforms.saw_cloud(drone, camera, message.header.frame_id)
        self._frames.add(sightings)

    def _check_stamp(self, stamp_ns: int, what: str) -> None:
        now_ns = self.get_clock().now().nanoseconds
        ahead = self._settings.ahead(self.get_parameter('use_sim_time').value)
        if strange := check_stamp(stamp_ns, now_ns, ahead, what):
            self.diagnostics.problem('clock', strange)

    def _process(self) -> None:
        """Use the frames that are ready; those that waited for too long are not used."""
        for late in self._frames.refuse_overdue():
            self._associations.publish(self._localizer, late, None)
        newest = dict(zip(self._team.names, self._localizer.newest_odometry(), strict=True))
        for sightings in self._frames.ready(newest):
            self._attempt(f'sightings of {sightings.observer}', self._use, sightings)

    def _use(self, sightings: Sightings) -> None:
        """Run one frame through the filter, and publish what came of it."""
        begin, fates = time.perf_counter(), self._frames.fates[sightings.observer]
        try:
            report, notices = self._localizer.update(sightings)
        except MavPerceptionError as error:
            fates.refuse(str(error))
            self._associations.publish(self._localizer, sightings, None)
            raise
        for notice in notices:
            self.diagnostics.count(notice.code)
            self.get_logger().info(notice.text)
        if report is not None:
            describe_update(self.diagnostics, report, 1e3 * (time.perf_counter() - begin))
        observer = self._team.index(sightings.observer)
        fates.use(self._poses.publish(self._localizer, observer, sightings.stamp_ns))
        self._framed_ns[observer] = sightings.stamp_ns
        # After the pose, which somebody waits for.
        self._associations.publish(self._localizer, sightings, report)

    def _on_timer(self) -> None:
        """Release frames whose wait is over; keep poses and markers alive without frames."""
        self._process()
        self._attempt('joint state', self._publish_team)

    def _attempt(self, what: str, step: Callable[..., None], *arguments: Any) -> None:
        """Do a step; if it is refused, /diagnostics says why."""
        try:
            step(*arguments)
        except MavPerceptionError as error:
            self.diagnostics.problem(what, str(error))

    def _publish_team(self) -> None:
        describe_team(self.diagnostics, self._localizer, self.get_clock().now().nanoseconds)
        describe_frames(self.diagnostics, self._frames.fates)
        state = self._localizer.team_state()
        if state is None:
            return
        self._checkpoint.save(self._localizer)
        for drone, newest in enumerate(self._localizer.newest_odometry()):
            if newest is None:
                continue
            if seconds(newest - self._framed_ns[drone]) > WITHOUT_FRAMES:
                self._poses.publish(self._localizer, drone, newest)
        objects = self._localizer.object_positions()
        markers = self._markers.build(state, self._localizer.localized, objects)
        self._marker_publisher.publish(markers)


def main() -> int:
    """Run the node."""
    return run_node(LocalizationNode)


if __name__ == '__main__':
    sys.exit(main())
