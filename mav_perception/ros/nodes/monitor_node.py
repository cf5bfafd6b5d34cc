"""Watches a flight: a live table, and at the end a summary and the report."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, PointCloud2

from mav_perception.errors import InputError
from mav_perception.evaluation.flight.flight_associations import AssociatedFrame
from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.evaluation.flight.flight_report import Flight, import_what_draws
from mav_perception.evaluation.report.provenance import provenance
from mav_perception.evaluation.report.rerun_log import LiveRerun
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team_file import DroneEntry, load_team, team_path
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.ros.monitor.association_frames import cloud_to_frame
from mav_perception.ros.monitor.drone_monitor import HEADER, DroneMonitor, table_row
from mav_perception.ros.monitor.flight_clock import FlightClock
from mav_perception.ros.monitor.live_screen import LiveScreen
from mav_perception.ros.monitor.monitor_parameters import MonitorNodeParameters
from mav_perception.ros.monitor.picture_sampler import PictureSampler, SampledCamera
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters
from mav_perception.ros.runtime.timers import steady_timer
from mav_perception.topics import (
    ASSOCIATIONS,
    DIAGNOSTICS,
    GROUND_TRUTH,
    MASK,
    POSE,
    below,
    in_namespace,
    team_base,
)

SETTLING = 5.0
"""Seconds after the flight in which the last frames may still come through the chain."""

REPORTED = (
    'real-time factor', 'real-time factor of the flight', 'parameters', 'error correlation s',
)  # fmt: skip
"""Values of /diagnostics that the summary needs."""


class MonitorNode(Node):
    """Prints the table while the team flies and the summary at the end."""

    teardown_limit = 120.0  # drawing a long flight takes its time

    def __init__(self) -> None:
        """Subscribe to all that is said of every drone, and to /diagnostics."""
        super().__init__('monitor_node')
        declare_parameters(self, MonitorNodeParameters)
        self._settings = read_parameters(self, MonitorNodeParameters)
        self._told = self._settings.words()  # now, not at the end of the flight
        self._base = team_base(self.get_namespace(), self._settings.team_namespace)
        self._entries = load_team(team_path(self._settings.team_file))
        self._drones = [
            DroneMonitor(e.name, np.where(np.isnan(e.start_sigma), np.nan, e.start))
            for e in self._entries
        ]
        self._flight_clock = FlightClock(self._settings.duration)
        self._frames: list[AssociatedFrame] = []
        for index, entry in enumerate(self._entries):
            self._watch(index, entry)
        self._live_view = LiveRerun(self._settings.rerun) if self._settings.rerun else None
        self.create_subscription(DiagnosticArray, DIAGNOSTICS, self._on_diagnostics, 50)
        self._problems: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._filter = ''
        self._sampler = PictureSampler(self, self._cameras(), [e.name for e in self._entries])
        self._screen = LiveScreen()
        if self._settings.output:  # now, not when somebody waits for the report
            threading.Thread(target=import_what_draws, daemon=True).start()
        self._over: float | None = None
        self._concluded = False
        steady_timer(self, self._settings.refresh, self._refresh)

    def _watch(self, index: int, entry: DroneEntry) -> None:
        prefix = self._settings.pose_prefix

        def listen(kind: type, namespace: str, topic: str, callback: Any, own: bool) -> None:
            """Subscribe; what is `own` to a filter of several stands below its prefix."""
            if own and prefix:
                name = in_namespace(below(namespace, prefix), topic, prefix)
            else:
                name = in_namespace(namespace, topic, self._base)
            heard = partial(self._attempt, name, callback)
            self.create_subscription(kind, name, heard, qos_profile(self._settings.qos, 100))

        drone = self._drones[index]
        listen(PoseWithCovarianceStamped, entry.namespace, POSE, drone.on_pose, True)
        for camera in entry.cameras:
            taken = partial(drone.on_camera_info, camera=camera.name)
            listen(CameraInfo, entry.camera_namespace(camera), entry.camera_info, taken, False)
        listen(PoseStamped, entry.namespace, GROUND_TRUTH, drone.on_truth, False)
        listen(Odometry, entry.namespace, entry.odometry, drone.on_odometry, False)
        for camera in entry.cameras if self._settings.output else ():
            heard = partial(self._on_associations, index=index, mount=camera.mount())
            listen(PointCloud2, entry.camera_namespace(camera), ASSOCIATIONS, heard, True)

    def _attempt(self, topic: str, take: Callable[[Any], None], message: Any) -> None:
        """Take a message; one that is refused is named below the table."""
        try:
            take(message)
            self._problems.pop(topic, None)
        except InputError as error:
            self._problems[topic] = str(error)

    def _on_associations(self, message: PointCloud2, index: int, mount: CameraMount) -> None:
        frame = cloud_to_frame(message, index, mount)
        self._frames.append(frame)
        self._sampler.on_frame(frame)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {item.key: item.value for item in status.values}
            if status.level == DiagnosticStatus.OK:
                self._problems.pop(status.name, None)
            else:
                self._problems[status.name] = status.message
            for drone, entry in zip(self._drones, self._entries, strict=True):
                spaces = [entry.camera_namespace(camera) for camera in entry.cameras]
                cameras = [in_namespace(space, '', self._base).strip('/') for space in spaces]
                if status.hardware_id in cameras and 'images dropped' in values:
                    drone.on_dropped(status.hardware_id, int(values['images dropped']))
            self._note_values(status.name, values)

    def _note_values(self, node: str, values: dict[str, str]) -> None:
        """Take over what the filter of this team says of frames, and what the simulator says."""
        names = [drone.name for drone in self._drones]
        is_filter = all(f'{name} frames arrived' in values for name in names)
        if is_filter and self._settings.pose_prefix in node:
            self._filter = self._filter or node  # of several filters, the first one
        if is_filter and node != self._filter:
            return
        for drone in self._drones if is_filter else ():
            drone.on_diagnostics(values)
        self._values |= {key: values[key] for key in REPORTED if key in values}

    def _cameras(self) -> list[SampledCamera]:
        """Return the topics of all cameras, if there will be a report."""
        cameras = []
        for index, entry in enumerate(self._entries if self._settings.output else ()):
            for camera in entry.cameras:
                space = entry.camera_namespace(camera)
                topics = (entry.image, entry.camera_info, MASK)
                names = [in_namespace(space, topic, self._base) for topic in topics]
                cameras.append(
                    SampledCamera(
                        drone=index,
                        name=camera.name,
                        image=names[0],
                        info=names[1],
                        masks=names[2],
                    )
                )
        return cameras

    def _refresh(self) -> None:
        self._flight_clock.read([drone.log for drone in self._drones])
        if self._settings.live:
            self._print_table(self._flight_clock.flown)
        if self._live_view is not None:
            self._show(self._live_view.update)
        self._sampler.poll(self._flight_clock.begin_ns)
        if self._flight_clock.is_over:
            self._over = self._over or time.monotonic()
            balances = [drone.balance for drone in self._drones]
            settled = not any(one.lost or one.waiting for one in balances)
            if settled or time.monotonic() - self._over > SETTLING:
                self._finish()

    def _print_table(self, flown: float) -> None:
        whole = f' of {self._settings.duration:.0f} s' if self._settings.duration else ' s'
        factor = self._values.get('real-time factor', '-')
        lines = [f'{flown:6.1f}{whole} flown, real-time factor {factor}', HEADER]
        lines += [table_row(drone) for drone in self._drones]
        problems = [f'! {name}: {text}' for name, text in sorted(self._problems.items())]
        self._screen.say(self._screen.shown(lines, problems))

    def _finish(self) -> None:
        """Conclude the flight and end the process: 0 for a good flight, see `Flight.faults`."""
        raise SystemExit(0 if self._conclude() else 1)

    def close(self) -> None:
        """Conclude a flight that somebody ended, if it is kept anywhere."""
        if not self._concluded and (self._settings.output or self._live_view):
            self._conclude()

    def _show(self, live: Callable[[list[tuple[str, DroneLog]]], None]) -> None:
        try:
            live([(drone.name, drone.log) for drone in self._drones])
            self._problems.pop('rerun', None)
        except Exception as error:  # noqa: BLE001 - a viewer that is gone must not end the flight
            self._problems['rerun'] = f'Rerun does not take the flight: {error}'

    def _conclude(self) -> bool:
        """Print and write the summary; return whether it is one of a good flight."""
        self._concluded = True
        if self._live_view is not None:
            self._show(self._live_view.finish)
        flight = Flight(
            names=tuple(drone.name for drone in self._drones),
            logs=[drone.log for drone in self._drones],
            frames=self._frames,
            latency_ms=np.concatenate([drone.latencies for drone in self._drones]),
            balances=tuple(drone.balance for drone in self._drones),
            real_time_factor=float(self._values.get('real-time factor of the flight', 'nan')),
            about=self._about(),
            error_correlation=float(self._values.get('error correlation s', '0')),
            pictures=self._sampler.pictures,
        )
        self._screen.say('\n'.join(['', *flight.text()]))
        if self._settings.output:
            for file in flight.write(Path(self._settings.output)):
                self._screen.say(f'  written: {file}')
        return bool(flight.beats_vio) and not flight.faults()

    def _about(self) -> dict[str, str]:
        """Return where the flight comes from: what was told, and what is known anyway."""
        known = {key: self._values[key] for key in ('parameters',) if key in self._values}
        return provenance() | known | self._told


def main() -> int:
    """Run the node."""
    return run_node(MonitorNode)


if __name__ == '__main__':
    sys.exit(main())
