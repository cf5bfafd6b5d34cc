"""The processes of a team of one's own: what team.launch.py starts, without ros2 launch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mav_perception.localization.team.team_file import (
    CameraEntry,
    DroneEntry,
    load_team,
    span_of_others,
)
from mav_perception.processes.node_processes import NodeProcesses, ros_arguments
from mav_perception.resources import find_share
from mav_perception.topics import CAMERA_INFO, IMAGE


@dataclass(frozen=True)
class OwnTeam:
    """A real team and the parameters of its nodes.

    Attributes:
        team_file: team.yaml.
        model: segmentation model.
        params: ROS parameter file for all nodes, over those that are shipped.
        sim_time: take the time from /clock.
    """

    team_file: Path
    model: str
    params: Path | None = None
    sim_time: bool = False

    def start(self, nodes: NodeProcesses) -> None:
        """Start localization, and the node of every camera; what dies is started again."""
        self._start(nodes, 'localization', 'localization', {'team_file': self.team_file})
        entries = load_team(self.team_file)
        for entry in entries:
            for camera in entry.cameras:
                self._start_camera(nodes, entry, camera, span_of_others(entries, entry))

    def _start_camera(
        self, nodes: NodeProcesses, entry: DroneEntry, camera: CameraEntry, span: float
    ) -> None:
        namespace = entry.camera_namespace(camera).strip('/')
        more = ['-r', f'{IMAGE}:={entry.image}', '-r', f'{CAMERA_INFO}:={entry.camera_info}']
        for config in ('segmentation', 'detection'):
            more += ['--params-file', str(find_share('config', f'{config}.yaml'))]
        self._start(
            nodes, f'{namespace.replace("/", "_")}_camera', 'camera',
            {'model': self.model, 'target_span': span}, namespace, more,
        )  # fmt: skip

    def _start(
        self,
        nodes: NodeProcesses,
        name: str,
        node: str,
        parameters: dict[str, object],
        namespace: str = '',
        more: Sequence[str] = (),
    ) -> None:
        files = [*more, *(('--params-file', str(self.params)) if self.params else ())]
        given = {'use_sim_time': self.sim_time, **parameters}
        arguments = ros_arguments(given, config=node, namespace=namespace, more=files)
        nodes.start(name, f'{node}_node', arguments, respawn=True)
