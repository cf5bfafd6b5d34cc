"""The processes of a simulated team: what the demo and the benchmarks start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mav_perception.processes.node_processes import NodeProcesses, ros_arguments

if TYPE_CHECKING:
    from mav_perception.simulation.flight.scenario import Scenario

LISTENERS = ('localization', 'monitor', 'recorder')
"""Processes that must not miss the beginning of a flight."""


@dataclass(frozen=True)
class SimulatedTeam:
    """A simulated team and how it is flown.

    Attributes:
        name: of the scenario, or the path of its file.
        scenario: the same with what was set on the command line.
        output: folder for team.yaml, logs and results.
        model: segmentation model.
        lockstep: the simulator waits for the chain instead of dropping frames.
        respawn: nodes that die are started again by `NodeProcesses.revive`.
        checkpoint: file in which the joint filter survives its process; empty for none.
        separate: segmentation and detection of a camera in a process each, not in one.
        params: ROS parameter file for the nodes of the team, over those that are shipped.
    """

    name: str
    scenario: Scenario
    output: Path
    model: str = 'sim'
    lockstep: bool = True
    respawn: bool = False
    checkpoint: str = ''
    separate: bool = False
    params: Path | None = None

    @property
    def team_file(self) -> Path:
        """Return where the team is described."""
        return self.output / 'team.yaml'

    @property
    def cameras(self) -> tuple[str, ...]:
        """Return the namespaces of all cameras."""
        return tuple(
            f'{name}/{camera.name}'.strip('/')
            for name in self.scenario.names
            for camera in self.scenario.cameras
        )

    def camera_processes(self, namespace: str) -> tuple[str, ...]:
        """Return the names of the processes of one camera."""
        kinds = ('segmentation', 'detection') if self.separate else ('camera',)
        return tuple(f'{namespace.replace("/", "_")}_{kind}' for kind in kinds)

    def start_team(self, nodes: NodeProcesses) -> None:
        """Write team.yaml; start localization, and the nodes of every camera."""
        from mav_perception.localization.team.team_file import save_team
        from mav_perception.simulation.flight.flight import scenario_team

        self.output.mkdir(parents=True, exist_ok=True)
        save_team(scenario_team(self.scenario), self.team_file)
        # The simulator waits in lockstep, so that nothing may get lost.
        qos = 'reliable' if self.lockstep else 'sensor_data'
        self._start(
            nodes, 'localization', 'localization',
            {'odometry_qos': qos, 'team_file': self.team_file, 'checkpoint_file': self.checkpoint},
        )  # fmt: skip
        for namespace in self.cameras:
            for name in self.camera_processes(namespace):
                node = name.rsplit('_', 1)[-1]
                images = {} if node == 'detection' else {'image_qos': qos}
                self._start(nodes, name, node, {'model': self.model, **images}, namespace)

    def start_simulation(self, nodes: NodeProcesses) -> None:
        """Start the flight; in lockstep it begins when all that was started before listens."""
        scenario = self.scenario
        listeners = [f'{name}_node' for name in LISTENERS if name in nodes.names]
        flight = {
            'scenario': self.name,
            'drones': scenario.drones,
            'duration': scenario.duration,
            'frame_rate': scenario.frame_rate,
            'odometry_rate': scenario.odometry_rate,
            'seed': scenario.seed,
            'lockstep': self.lockstep,
            'listeners': listeners,
        }
        nodes.start('simulation', 'simulation_node', ros_arguments(flight, config='simulation'))

    def _start(
        self,
        nodes: NodeProcesses,
        name: str,
        node: str,
        parameters: dict[str, object],
        namespace: str = '',
    ) -> None:
        more = ('--params-file', str(self.params)) if self.params else ()
        arguments = ros_arguments({'use_sim_time': True, **parameters}, node, namespace, more)
        nodes.start(name, f'{node}_node', arguments, respawn=self.respawn)
