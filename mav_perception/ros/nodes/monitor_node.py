"""Watches a flight: a live table, and at the end a summary and the report."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, PointCloud2

from mav_perception.errors import InputError
from mav_perception.evaluation.flight.flight_associations import AssociatedFrame
from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.evaluation.flight.flight_report import Flight
from mav_perception.evaluation.report.rerun_log import LiveRerun
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team_file import DroneEntry, load_team, team_path
from mav_perception.parameters import parameter
from mav_perception.ros.messages.point_clouds import cloud_to_frame
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.ros.monitor.drone_monitor import HEADER, DroneMonitor, table_row
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters
from mav_perception.topics import (
    ASSOCIATIONS,
    DIAGNOSTICS,
    GROUND_TRUTH,
    POSE,
    below,
    in_namespace,
    team_base,
)
from mav_perception.types import seconds

PLAIN_WIDTH = 160
"""Columns of the table where it goes into a file or a pipe."""

YELLOW = '\x1b[33m{}\x1b[0m'


@dataclass(frozen=True)
class MonitorNodeParameters:
    """Parameters of monitor_node."""

    team_file: str = parameter(
        '', 'team.yaml as localization_node gets it, for names and VIO alone', read_only=True
    )
    duration: float = parameter(
        0.0,
        'end after so many seconds of truth, 0 to go on until somebody ends the node [s]',
        0.0,
        read_only=True,
    )
    team_namespace: str = parameter(
        '.', 'namespace of the team, as of localization_node', read_only=True
    )
    pose_prefix: str = parameter(
        '', 'namespace before the poses, as of localization_node', read_only=True
    )
    output: str = parameter(
        '', 'folder for summary.json, report.html and the run, empty for none', read_only=True
    )
    live: bool = parameter(True, 'print the live table', read_only=True)
    rerun: str = parameter(
        '',
        'file to write a Rerun recording to, or address of a viewer such as '
        'rerun+http://127.0.0.1:9876/proxy; empty for none',
        read_only=True,
    )
    refresh: float = parameter(1.0, 'seconds between live tables', 0.1, 60.0, read_only=True)


class MonitorNode(Node):
    """Prints the table while the team flies and the summary at the end."""

    teardown_limit = 120.0  # drawing a long flight takes its time

    def __init__(self) -> None:
        """Subscribe to all that is said of every drone, and to /diagnostics."""
        super().__init__('monitor_node')
        declare_parameters(self, MonitorNodeParameters)
        self._settings = read_parameters(self, MonitorNodeParameters)
        self._base = team_base(self.get_namespace(), self._settings.team_namespace)
        self._entries = load_team(team_path(self._settings.team_file))
        self._drones = [DroneMonitor(e.name, np.array(e.start)) for e in self._entries]
        self._frames: list[AssociatedFrame] = []
        for index, entry in enumerate(self._entries):
            self._watch(index, entry)
        self._live_view = LiveRerun(self._settings.rerun) if self._settings.rerun else None
        self.create_subscription(DiagnosticArray, DIAGNOSTICS, self._on_diagnostics, 50)
        self._problems: dict[str, str] = {}
        self._real_time_factor = '-'
        self._lost = 0
        self._lines = 0
        self._concluded = False
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(self._settings.refresh, self._refresh, clock=steady)

    def _watch(self, index: int, entry: DroneEntry) -> None:
        prefix = self._settings.pose_prefix

        def listen(kind: type, namespace: str, topic: str, callback: Any, own: bool) -> None:
            """Subscribe; what is `own` to a filter of several stands below its prefix."""
            if own and prefix:
                name = in_namespace(below(namespace, prefix), topic, prefix)
            else:
                name = in_namespace(namespace, topic, self._base)
            self.create_subscription(kind, name, callback, qos_profile('sensor_data', 100))

        drone = self._drones[index]
        listen(PoseWithCovarianceStamped, entry.namespace, POSE, drone.on_pose, True)
        listen(CameraInfo, entry.namespace, entry.camera_info, drone.on_camera_info, False)
        listen(PoseStamped, entry.namespace, GROUND_TRUTH, drone.on_truth, False)
        listen(Odometry, entry.namespace, entry.odometry, drone.on_odometry, False)
        for camera in entry.cameras if self._settings.output else ():
            heard = partial(self._on_associations, index=index, mount=camera.mount())
            listen(PointCloud2, entry.camera_namespace(camera), ASSOCIATIONS, heard, True)

    def _on_associations(self, message: PointCloud2, index: int, mount: CameraMount) -> None:
        topic = f'{ASSOCIATIONS} of {self._drones[index].name}'
        try:
            self._frames.append(cloud_to_frame(message, index, mount))
            self._problems.pop(topic, None)
        except InputError as error:
            self._problems[topic] = str(error)

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
                    drone.dropped_by[status.hardware_id] = int(values['images dropped'])
            if 'real-time factor' in values:
                self._real_time_factor = values['real-time factor']
                self._lost = int(values.get('frames lost', 0))

    def _refresh(self) -> None:
        flown = max(
            (seconds(d.log.truth[-1][0]) for d in self._drones if d.log.truth), default=0.0
        )
        if self._settings.live:
            self._print_table(flown)
        if self._live_view is not None:
            self._show(self._live_view.update)
        if 0.0 < self._settings.duration <= flown + 0.3:
            self._finish()

    def _print_table(self, flown: float) -> None:
        lines = [f'{flown:6.1f} s flown, real-time factor {self._real_time_factor}', HEADER]
        lines += [table_row(drone) for drone in self._drones]
        problems = [f'! {name}: {text}' for name, text in sorted(self._problems.items())]
        live = sys.stdout.isatty()
        if live and self._lines:
            print(f'\x1b[{self._lines}A\x1b[J', end='')
        # One line each, or the table cannot be overwritten.
        width = shutil.get_terminal_size().columns if live else PLAIN_WIDTH
        paint = YELLOW if live and 'NO_COLOR' not in os.environ else '{}'
        shown = [line[:width] for line in lines]
        shown += [paint.format(line[:width]) for line in problems]
        print('\n'.join(shown), flush=True)
        self._lines = len(shown)

    def _finish(self) -> None:
        """Conclude the flight and end the process: 0 if the team beats VIO alone."""
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

    def _conclude(self) -> bool | None:
        """Print and write the summary; return whether the team beats VIO, None if unknown."""
        self._concluded = True
        if self._live_view is not None:
            self._show(self._live_view.finish)
        flight = Flight(
            names=tuple(drone.name for drone in self._drones),
            logs=[drone.log for drone in self._drones],
            frames=self._frames,
            latency_ms=np.concatenate([drone.latencies for drone in self._drones]),
            real_time_factor=self._real_time_factor,
            counts={
                'images_dropped': sum(drone.dropped for drone in self._drones),
                'frames_lost': self._lost,
            },
        )
        print('', *flight.text(), sep='\n', flush=True)
        if self._settings.output:
            for file in flight.write(Path(self._settings.output)):
                print(f'  written: {file}', flush=True)
        return flight.beats_vio


def main() -> int:
    """Run the node."""
    return run_node(MonitorNode)


if __name__ == '__main__':
    sys.exit(main())
