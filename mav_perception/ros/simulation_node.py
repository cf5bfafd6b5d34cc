"""The embedded simulator as a node: images, camera_info, VIO and truth of every drone, /clock."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from mav_perception.geometry import quaternion_from_euler
from mav_perception.parameters import parameter
from mav_perception.ros.conversions import (
    array_to_image,
    fill_pose,
    info_from_camera,
    ns_to_stamp,
    stamp_to_ns,
)
from mav_perception.ros.health import Health
from mav_perception.ros.names import (
    CAMERA_INFO,
    CLOCK,
    GROUND_TRUTH,
    IMAGE,
    MAP_FRAME,
    ODOMETRY,
    RELATIVE_MEASUREMENTS,
    body_frame,
    in_namespace,
    odometry_frame,
    optical_frame,
)
from mav_perception.ros.parameters import declare_parameters, read_parameters
from mav_perception.ros.qos import qos_profile
from mav_perception.ros.running import run_node
from mav_perception.simulation.pacing import FlowControl, Pacer
from mav_perception.simulation.scenario import Scenario
from mav_perception.simulation.world import SimulatedWorld, Tick

READY_TIMEOUT = 60.0
"""Seconds that the simulator waits for the chain before it flies all the same."""


@dataclass(frozen=True)
class SimulationNodeParameters:
    """Parameters of simulation_node."""

    drones: int = parameter(4, 'number of drones, named mav1, mav2 ...', 2, 20, read_only=True)
    duration: float = parameter(60.0, 'length of the flight [s]', 0.1, 1e6, read_only=True)
    frame_rate: float = parameter(5.0, 'camera frames a drone [Hz]', 0.1, 60.0, read_only=True)
    odometry_rate: float = parameter(25.0, 'VIO outputs a drone [Hz]', 1.0, 400.0, read_only=True)
    seed: int = parameter(0, 'decides flights, drift, noise and the room', 0, read_only=True)
    lockstep: bool = parameter(
        True, 'wait for the chain: slow simulated time down instead of dropping', read_only=True
    )


class DronePublishers:
    """All publishers of one simulated drone, and its messages."""

    def __init__(self, node: Node, name: str) -> None:
        """Advertise in the drone's namespace."""
        self.name = name

        def advertise(kind: type, topic: str, depth: int) -> Publisher[Any]:
            return node.create_publisher(
                kind, in_namespace(name, topic), qos_profile('reliable', depth)
            )

        self.image = advertise(Image, IMAGE, 2)
        self.camera_info = advertise(CameraInfo, CAMERA_INFO, 5)
        self.odometry = advertise(Odometry, ODOMETRY, 50)
        self.truth = advertise(PoseStamped, GROUND_TRUTH, 50)

    def publish_motion(self, tick: Tick, drone: int) -> None:
        """Publish VIO and truth of a tick."""
        sample = tick.odometry[drone]
        odometry = Odometry(child_frame_id=body_frame(self.name))
        odometry.header = Header(
            stamp=ns_to_stamp(tick.stamp_ns), frame_id=odometry_frame(self.name)
        )
        fill_pose(odometry.pose.pose, sample.position, sample.quaternion)
        odometry.pose.covariance = (1e-3 * np.eye(6)).ravel()
        self.odometry.publish(odometry)
        truth = PoseStamped()
        truth.header = Header(stamp=ns_to_stamp(tick.stamp_ns), frame_id=MAP_FRAME)
        x, y, z, yaw = tick.truth[drone]
        fill_pose(truth.pose, np.array([x, y, z]), quaternion_from_euler([0.0, 0.0, yaw]))
        self.truth.publish(truth)


class SimulationNode(Node):
    """Flies the team in a thread of its own and ends the process after the flight."""

    def __init__(self) -> None:
        """Advertise everything and start the flight."""
        super().__init__('simulation_node')
        declare_parameters(self, SimulationNodeParameters)
        parameters = read_parameters(self, SimulationNodeParameters)
        self._scenario = Scenario(
            drones=parameters.drones,
            duration=parameters.duration,
            frame_rate=parameters.frame_rate,
            odometry_rate=parameters.odometry_rate,
            seed=parameters.seed,
        )
        self.health = Health(self)
        self._lockstep = parameters.lockstep
        self._clock_publisher = self.create_publisher(ClockMessage, CLOCK, 10)
        self._drones = [DronePublishers(self, name) for name in self._scenario.names]
        self._flow = FlowControl(parameters.drones, window=2, patience=5.0)
        for index, name in enumerate(self._scenario.names):
            self.create_subscription(
                PointCloud2,
                in_namespace(name, RELATIVE_MEASUREMENTS),
                lambda message, drone=index: self._flow.returned(
                    drone, stamp_to_ns(message.header.stamp)
                ),
                10,
            )
        self._stopping = threading.Event()
        self._exit_code: int | None = None
        self._pacer = Pacer()
        self._thread = threading.Thread(target=self._fly, name='flight')
        self._thread.start()
        self.create_timer(
            0.2, self._end_when_finished, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

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
            self.health.fail(f'The simulator failed: {error!r}')
            self._exit_code = 1

    def _step(self, world: SimulatedWorld, tick: Tick) -> None:
        self._clock_publisher.publish(ClockMessage(clock=ns_to_stamp(tick.stamp_ns)))
        for index, drone in enumerate(self._drones):
            drone.publish_motion(tick, index)
        for observer in tick.observers:
            if self._lockstep:
                self._flow.wait_for_room(observer, self._stopping)
            self._publish_frame(world, tick, observer)
        factor = self._pacer.real_time_factor
        self.health.set('real-time factor', f'{factor:.2f}')
        self.health.set('frames lost', self._flow.lost)
        if factor < 0.95:
            self.health.problem(
                'slow',
                f'The machine is too slow for real time: simulated time runs at {factor:.2f}, so '
                f'that no frame is dropped ({self._flow.lost} lost so far). Use fewer drones or a '
                'lower frame rate.',
            )

    def _publish_frame(self, world: SimulatedWorld, tick: Tick, observer: int) -> None:
        drone = self._drones[observer]
        header = Header(stamp=ns_to_stamp(tick.stamp_ns), frame_id=optical_frame(drone.name))
        image = world.render(tick, observer)
        self._flow.sent(observer, tick.stamp_ns)
        drone.camera_info.publish(info_from_camera(self._scenario.camera, header))
        drone.image.publish(array_to_image(image, header))
        self.health.count('frames')

    def _wait_for_chain(self) -> None:
        """Send blank frames until each drone's chain answers and localization listens.

        Discovery takes its time on a loaded machine, and a frame sent before would be lost. There
        is no odometry yet, so localization does not use the answers.
        """
        camera = self._scenario.camera
        blank = np.full((camera.height, camera.width), 128, np.uint8)
        begin = time.monotonic()
        while not self._stopping.is_set():
            missing = [d for i, d in enumerate(self._drones) if not self._is_ready(i)]
            if not missing:
                self._stopping.wait(1.0)  # the last blank frames leave the chain
                return
            if time.monotonic() - begin > READY_TIMEOUT:
                names = ', '.join(d.name for d in missing)
                self.health.problem(
                    'chain', f'The chain of {names} is not complete: flying anyway.'
                )
                return
            for drone in missing:
                header = Header(frame_id=optical_frame(drone.name))
                drone.camera_info.publish(info_from_camera(camera, header))
                drone.image.publish(array_to_image(blank, header))
            self._stopping.wait(0.5)

    def _is_ready(self, index: int) -> bool:
        topic = in_namespace(self._drones[index].name, ODOMETRY)
        readers = {reader.node_name for reader in self.get_subscriptions_info_by_topic(topic)}
        return self._flow.answered(index) and 'localization_node' in readers

    def _end_when_finished(self) -> None:
        if self._exit_code is not None:
            self.get_logger().info('the flight is over')
            raise SystemExit(self._exit_code)


def main() -> int:
    """Run the node."""
    return run_node(SimulationNode)


if __name__ == '__main__':
    sys.exit(main())
