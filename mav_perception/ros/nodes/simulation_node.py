"""The embedded simulator as a node: images, camera_info, VIO and truth of every drone, /clock."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from functools import partial

from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage

from mav_perception.parameters import parameter
from mav_perception.ros.messages.conversions import ns_to_stamp
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.ros.runtime.node_main import run_node
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters
from mav_perception.ros.runtime.timers import steady_timer
from mav_perception.ros.simulation.simulated_drone import CameraPublishers, MotionPublishers
from mav_perception.simulation.flight.scenario import (
    MAX_DURATION,
    MAX_FRAME_RATE,
    MAX_ODOMETRY_RATE,
)
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.simulation.real_time import FlowControl, RealTimePacer
from mav_perception.simulation.world import SimulatedWorld, Tick
from mav_perception.topics import CLOCK, ODOMETRY, in_namespace

PATIENCE = 20.0
"""Seconds that a frame may take through the chain on a machine under load."""

READY_TIMEOUT = 60.0
"""Seconds that the simulator waits for the chain before it flies all the same."""


@dataclass(frozen=True)
class SimulationNodeParameters:
    """Parameters of simulation_node."""

    scenario: str = parameter(
        'nominal', 'name of a shipped scenario, or path of a scenario YAML', read_only=True
    )
    drones: int = parameter(
        0, "number of drones, named mav1, mav2 ...; 0 for the scenario's", 0, 20, read_only=True
    )
    duration: float = parameter(
        0.0, "length of the flight [s]; 0 for the scenario's", 0.0, MAX_DURATION, read_only=True
    )
    frame_rate: float = parameter(
        0.0, "frames of a camera [Hz]; 0 for the scenario's", 0.0, MAX_FRAME_RATE, read_only=True
    )
    odometry_rate: float = parameter(
        0.0,
        "VIO outputs of a drone [Hz]; 0 for the scenario's",
        0.0,
        MAX_ODOMETRY_RATE,
        read_only=True,
    )
    seed: int = parameter(
        -1, "decides flights, drift, noise and the room; -1 for the scenario's", -1, read_only=True
    )
    lockstep: bool = parameter(
        True, 'wait for the chain: slow simulated time down instead of dropping', read_only=True
    )
    listeners: tuple[str, ...] = parameter(
        ('localization_node',),
        'in lockstep: nodes that have to listen to every drone before the flight begins',
        read_only=True,
    )


class SimulationNode(Node):
    """Flies the team in a thread of its own and ends the process after the flight."""

    def __init__(self) -> None:
        """Advertise everything and start the flight."""
        super().__init__('simulation_node')
        declare_parameters(self, SimulationNodeParameters)
        parameters = read_parameters(self, SimulationNodeParameters)
        self._scenario = load_scenario(
            parameters.scenario,
            drones=parameters.drones or None,
            duration=parameters.duration or None,
            frame_rate=parameters.frame_rate or None,
            odometry_rate=parameters.odometry_rate or None,
            seed=None if parameters.seed < 0 else parameters.seed,
        )
        self.diagnostics = NodeDiagnostics(self)
        self._lockstep, self._listeners = parameters.lockstep, set(parameters.listeners)
        self._clock_publisher = self.create_publisher(ClockMessage, CLOCK, 10)
        self._drones = [MotionPublishers(self, name) for name in self._scenario.names]
        self._cameras = [
            CameraPublishers(self, name, settings)
            for name in self._scenario.names
            for settings in self._scenario.cameras
        ]
        cameras = len(self._cameras)
        self._flow = FlowControl(cameras, window=2, patience=PATIENCE)
        # The filter has to have frames that wait for odometry.
        behind = max(4, round(0.5 * self._scenario.frame_rate))
        self._filter_flow = FlowControl(cameras, window=behind, patience=PATIENCE)
        for index, camera in enumerate(self._cameras):
            camera.on_measurements(partial(self._flow.returned, index))
            if self._lockstep:
                camera.on_associations(partial(self._filter_flow.returned, index))
        self._stopping = threading.Event()
        self._exit_code: int | None = None
        self._pacer = RealTimePacer()
        self._thread = threading.Thread(target=self._fly, name='flight')
        self._thread.start()
        steady_timer(self, 0.2, self._end_when_finished)

    def close(self) -> None:
        """Stop the flight and wait for its thread."""
        self._stopping.set()
        self._thread.join(timeout=10.0)

    def _fly(self) -> None:
        try:
            world = SimulatedWorld(self._scenario)
            if self._lockstep:
                self._wait_for_chain()
            for index, simulated in enumerate(world.times):
                self._pacer.wait_until(float(simulated), self._stopping)
                if self._stopping.is_set():
                    return
                self._step(world, world.tick(index))
            self._stopping.wait(1.0)  # let the last frames come through the chain
            self._exit_code = 0
        except Exception as error:  # noqa: BLE001 - the thread must not die unheard
            self.diagnostics.fail(f'The simulator failed: {error!r}')
            self._exit_code = 1

    def _step(self, world: SimulatedWorld, tick: Tick) -> None:
        self._clock_publisher.publish(ClockMessage(clock=ns_to_stamp(tick.stamp_ns)))
        for index, drone in enumerate(self._drones):
            drone.publish(tick, index)
        for shot in tick.shots:
            camera = shot.drone * len(self._scenario.cameras) + shot.camera
            if self._lockstep:
                self._flow.wait_for_room(camera, self._stopping)
                self._filter_flow.wait_for_room(camera, self._stopping)
            image = world.render(shot)
            self._flow.sent(camera, shot.stamp_ns)
            if self._cameras[camera].localized:
                self._filter_flow.sent(camera, shot.stamp_ns)
            self._cameras[camera].publish(image, shot.stamp_ns)
            self.diagnostics.count('frames')
        factor, lost = self._pacer.real_time_factor, self._flow.lost + self._filter_flow.lost
        self.diagnostics.set('real-time factor', f'{factor:.2f}')
        self.diagnostics.set('real-time factor of the flight', f'{self._pacer.whole_flight:.2f}')
        self.diagnostics.set('frames lost', lost)
        if factor < 0.95:
            self.diagnostics.problem(
                'slow',
                f'The machine is too slow for real time: simulated time runs at {factor:.2f}, '
                f'{lost} frames lost so far. Use fewer drones or a lower frame rate.',
            )

    def _wait_for_chain(self) -> None:
        """Send blank frames until each camera's chain answers and all listeners are there.

        Discovery takes its time on a loaded machine, and a frame sent before would be lost. There
        is no odometry yet, so localization does not use the answers.
        """
        begin = time.monotonic()
        while not self._stopping.is_set():
            missing = [camera for i, camera in enumerate(self._cameras) if not self._is_ready(i)]
            if not missing:
                self._stopping.wait(1.0)  # the last blank frames leave the chain
                return
            if time.monotonic() - begin > READY_TIMEOUT:
                names = ', '.join(camera.namespace for camera in missing)
                self.diagnostics.problem(
                    'chain', f'The chain of {names} is not complete: flying anyway.'
                )
                return
            for camera in missing:
                camera.publish_blank()
            self._stopping.wait(0.5)

    def _is_ready(self, index: int) -> bool:
        drone = self._scenario.names[index // len(self._scenario.cameras)]
        topic = in_namespace(drone, ODOMETRY, self.get_namespace())
        readers = {reader.node_name for reader in self.get_subscriptions_info_by_topic(topic)}
        return self._flow.answered(index) and self._listeners <= readers

    def _end_when_finished(self) -> None:
        if self._exit_code is not None:
            self.get_logger().info('the flight is over')
            raise SystemExit(self._exit_code)


def main() -> int:
    """Run the node."""
    return run_node(SimulationNode)


if __name__ == '__main__':
    sys.exit(main())
