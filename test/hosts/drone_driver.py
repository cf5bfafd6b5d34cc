"""Stands for one drone's camera driver and VIO on a host of its own, on the clock of the wall.

Usage: drone_driver.py DRONE EPOCH_NS RATE. Every host flies the same seeded world.
"""

import sys
import time
from dataclasses import replace

import rclpy
from rclpy.node import Node

from mav_perception.ros.simulation.simulated_drone import CameraPublishers, MotionPublishers
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.simulation.world import SimulatedWorld


def main() -> None:
    """Publish until killed."""
    drone, epoch_ns, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    scenario = load_scenario(
        'nominal', drones=3, frame_rate=rate, odometry_rate=5.0 * rate, duration=240.0, seed=4
    )
    rclpy.init()
    node = Node('driver')
    motion = MotionPublishers(node, scenario.names[drone])
    camera = CameraPublishers(node, scenario.names[drone], scenario.cameras[0])
    world = SimulatedWorld(scenario)
    for index in range(len(world.times)):
        tick = world.tick(index)
        wait = (epoch_ns + tick.stamp_ns - time.time_ns()) * 1e-9
        if wait < -0.5:
            continue  # this host came late
        time.sleep(max(wait, 0.0))
        samples = tuple(
            sample and replace(sample, stamp_ns=sample.stamp_ns + epoch_ns)
            for sample in tick.odometry
        )
        now = replace(tick, stamp_ns=tick.stamp_ns + epoch_ns, odometry=samples, shots=())
        motion.publish(now, drone)
        for shot in tick.shots:
            if shot.drone == drone:
                camera.publish(world.render(shot), shot.stamp_ns + epoch_ns)


if __name__ == '__main__':
    main()
