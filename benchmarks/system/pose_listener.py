"""Listens to a flying team over DDS and holds every pose against the truth, in this process."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from mav_perception.io.messages import stamp_to_ns
from mav_perception.ros.messages.qos import qos_profile
from mav_perception.topics import (
    CAMERA_INFO,
    GROUND_TRUTH,
    MASK,
    POSE,
    RELATIVE_MEASUREMENTS,
    in_namespace,
)


class PoseListener:
    """Poses with their errors, latencies, and when each kind of output was last heard."""

    def __init__(self, environment: Mapping[str, str], names: tuple[str, ...]) -> None:
        """Join the domain of the environment and subscribe."""
        for key in ('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE'):
            os.environ[key] = environment[key]
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        rclpy.init()
        self._rclpy, self.node = rclpy, rclpy.create_node('watch')
        self.truth: dict[str, dict[int, np.ndarray]] = {name: {} for name in names}
        self.poses: list[tuple[str, int, np.ndarray, np.ndarray]] = []
        self.latencies: list[float] = []
        self.heard: dict[str, float] = {}
        self._sent: dict[tuple[str, int], float] = {}
        for name in names:
            self._listen(PoseStamped, name, GROUND_TRUTH, self._on_truth)
            self._listen(PoseWithCovarianceStamped, name, POSE, self._on_pose)
            self._listen(CameraInfo, name, CAMERA_INFO, self._on_info)
            self._listen(PointCloud2, name, RELATIVE_MEASUREMENTS, lambda *_: None)
            self._listen(Image, name, MASK, lambda *_: None)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self._thread.join(5.0)
        self.node.destroy_node()
        self._rclpy.try_shutdown()

    def wait_for(self, topic: str, since: float, timeout: float = 30.0) -> float | None:
        """Return the seconds from `since` until a topic is heard after it, None if it is not."""
        while time.monotonic() < since + timeout:
            if self.heard.get(topic, 0.0) > since:
                return self.heard[topic] - since
            time.sleep(0.01)
        return None

    def mahalanobis(self) -> np.ndarray:
        """Return the squared, normalised position errors of all poses with a truth."""
        result = []
        for name, stamp, position, covariance in list(self.poses):
            true = self.truth[name].get(stamp)
            if true is not None:
                error = position - true
                result.append(float(error @ np.linalg.solve(covariance, error)))
        return np.array(result)

    def _listen(self, kind: type, name: str, topic: str, handle: Callable[..., None]) -> None:
        full = in_namespace(name, topic)

        def on_message(message: Any) -> None:
            self.heard[full] = time.monotonic()
            handle(name, message)

        profile = qos_profile('sensor_data', 100)
        self.node.create_subscription(kind, full, on_message, profile)

    def _on_truth(self, name: str, message: PoseStamped) -> None:
        p = message.pose.position
        self.truth[name][stamp_to_ns(message.header.stamp)] = np.array([p.x, p.y, p.z])

    def _on_info(self, name: str, message: CameraInfo) -> None:
        self._sent[name, stamp_to_ns(message.header.stamp)] = time.monotonic()

    def _on_pose(self, name: str, message: PoseWithCovarianceStamped) -> None:
        stamp, p = stamp_to_ns(message.header.stamp), message.pose.pose.position
        covariance = np.array(message.pose.covariance).reshape(6, 6)[:3, :3]
        self.poses.append((name, stamp, np.array([p.x, p.y, p.z]), covariance))
        sent = self._sent.pop((name, stamp), None)
        if sent is not None:
            self.latencies.append(1e3 * (time.monotonic() - sent))


def process_figures(pid: int) -> tuple[float, int, int]:
    """Return CPU seconds, resident bytes and open descriptors of a process."""
    fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(Path(f'/proc/{pid}/statm').read_text().split()[1])
    descriptors = len(list(Path(f'/proc/{pid}/fd').iterdir()))
    page = os.sysconf('SC_PAGE_SIZE')
    return ticks / os.sysconf('SC_CLK_TCK'), pages * page, descriptors
