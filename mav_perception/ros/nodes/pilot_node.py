"""Flies the drones of another simulator, such as Gazebo, along the paths of a scenario."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial

from geometry_msgs.msg import PoseStamped, Twist
from rclpy.node import Node

from mav_perception.errors import InputError
from mav_perception.io.messages import pose_from_message, stamp_to_ns
from mav_perception.parameters import parameter
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.simulation.flight.trajectories import plan_flights
from mav_perception.simulation.pilot import velocity_command
from mav_perception.topics import GROUND_TRUTH, VELOCITY_COMMAND, in_namespace
from mav_perception.types import seconds


@dataclass(frozen=True)
class PilotNodeParameters:
    """Parameters of pilot_node."""

    scenario: str = parameter(
        'nominal', 'name of a shipped scenario, or path of a scenario YAML', read_only=True
    )
    drones: int = parameter(0, "number of drones; 0 for the scenario's", 0, 20, read_only=True)
    seed: int = parameter(
        -1, "decides the flight paths; -1 for the scenario's", -1, read_only=True
    )
    take_off: float = parameter(
        5.0, 'time in which the drones go to where their paths begin [s]', 0.0, 600.0, True
    )


class PilotNode(Node):
    """Answers each true pose of a drone with a velocity command."""

    def __init__(self) -> None:
        """Plan the flights and subscribe."""
        super().__init__('pilot_node')
        declare_parameters(self, PilotNodeParameters)
        parameters = read_parameters(self, PilotNodeParameters)
        self.diagnostics = NodeDiagnostics(self)
        scenario = load_scenario(
            parameters.scenario,
            drones=parameters.drones or None,
            seed=None if parameters.seed < 0 else parameters.seed,
        )
        self._paths, self._take_off = plan_flights(scenario), parameters.take_off
        self._begin_ns: int | None = None
        self._commands, base = [], self.get_namespace()
        for index, name in enumerate(scenario.names):
            self._commands.append(
                self.create_publisher(Twist, in_namespace(name, VELOCITY_COMMAND, base), 10)
            )
            self.create_subscription(
                PoseStamped,
                in_namespace(name, GROUND_TRUTH, base),
                partial(self._steer, drone=index),
                qos_profile('sensor_data', 10),
            )

    def _steer(self, message: PoseStamped, drone: int) -> None:
        try:
            pose = pose_from_message(message.pose)
        except InputError as error:
            self.diagnostics.problem('truth', f'{GROUND_TRUTH}: {error}')
            return
        stamp_ns = stamp_to_ns(message.header.stamp)
        if self._begin_ns is None or stamp_ns < self._begin_ns:
            self._begin_ns = stamp_ns
        time = max(seconds(stamp_ns - self._begin_ns) - self._take_off, 0.0)
        x, y, z, turn = velocity_command(self._paths[drone], time, pose).tolist()
        command = Twist()
        command.linear.x, command.linear.y, command.linear.z = x, y, z
        command.angular.z = turn
        self._commands[drone].publish(command)
        self.diagnostics.count('commands')


def main() -> int:
    """Run the node."""
    return run_node(PilotNode)


if __name__ == '__main__':
    sys.exit(main())
