"""What the monitor knows of one drone: truth, odometry, poses, and how late those come."""

from __future__ import annotations

import time
from collections import deque

import numpy as np
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo

from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.geometry import roll_pitch_yaw
from mav_perception.io.messages import pose_from_message, stamp_to_ns
from mav_perception.types import FloatArray

HEADER = (
    f'{"drone":8} {"rate":>6} {"latency":>8} {"dropped":>8} {"error":>8} {"sigma":>8} {"VIO":>8}'
)


class DroneMonitor:
    """The log of one drone, and its live figures: rate and latency of its poses."""

    def __init__(self, name: str, start: FloatArray) -> None:
        """Start with nothing seen."""
        self.name = name
        self.log = DroneLog(start)
        self.latencies: list[float] = []
        self.arrivals: deque[float] = deque(maxlen=50)
        self.dropped_by: dict[str, int] = {}
        self._frames: dict[int, float] = {}

    @property
    def dropped(self) -> int:
        """Return the images that all cameras of the drone dropped."""
        return sum(self.dropped_by.values())

    def on_truth(self, message: PoseStamped) -> None:
        """Note where the drone truly is."""
        stamp, rotation = stamp_to_ns(message.header.stamp), message.pose.orientation
        angles = roll_pitch_yaw(np.array([rotation.x, rotation.y, rotation.z, rotation.w]))
        self.log.truth.append((stamp, pose_from_message(message.pose)))
        self.log.roll_pitch.append((stamp, angles[:2]))

    def on_odometry(self, message: Odometry) -> None:
        """Note what the VIO says."""
        pose = pose_from_message(message.pose.pose)
        self.log.odometry.append((stamp_to_ns(message.header.stamp), pose))

    def on_camera_info(self, message: CameraInfo) -> None:
        """Note when a frame was taken: camera_info travels with its image."""
        self._frames[stamp_to_ns(message.header.stamp)] = time.monotonic()
        while len(self._frames) > 200:
            del self._frames[next(iter(self._frames))]

    def on_pose(self, message: PoseWithCovarianceStamped) -> None:
        """Note an estimate, and how long after its frame it came."""
        stamp, now = stamp_to_ns(message.header.stamp), time.monotonic()
        covariance = np.asarray(message.pose.covariance).reshape(6, 6)
        axes = np.array([0, 1, 2, 5])
        self.log.estimate.append((stamp, pose_from_message(message.pose.pose)))
        self.log.covariance.append(covariance[np.ix_(axes, axes)])
        self.arrivals.append(now)
        taken = self._frames.pop(stamp, None)
        if taken is not None:
            self.latencies.append(1e3 * (now - taken))

    @property
    def rate(self) -> float:
        """Return poses a second of the last arrivals."""
        if len(self.arrivals) < 2:
            return 0.0
        return (len(self.arrivals) - 1) / max(self.arrivals[-1] - self.arrivals[0], 1e-6)


def table_row(drone: DroneMonitor) -> str:
    """Return the live line of one drone."""
    latest = drone.log.latest()
    latency = float(np.median(drone.latencies[-20:])) if drone.latencies else float('nan')
    return (
        f'{drone.name:8} {drone.rate:4.1f}Hz {latency:5.0f} ms {drone.dropped:8d} '
        f'{latest.error:6.2f} m {latest.sigma:6.2f} m {latest.vio_error:6.2f} m'
    )
