"""What the monitor knows of one drone: truth, odometry, poses, and how late those come."""

from __future__ import annotations

import time
from collections import Counter, deque

import numpy as np
from geometry_msgs.msg import PoseStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo

from mav_perception.errors import InputError
from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.evaluation.flight.frame_balance import FrameBalance
from mav_perception.geometry import roll_pitch_yaw
from mav_perception.io.messages import pose_from_message, stamp_to_ns
from mav_perception.types import FloatArray

FATES = ('used', 'without a pose', 'refused', 'waiting')
"""What localization_node counts of the frames of a drone."""

HEADER = (
    f'{"drone":8} {"rate":>6} {"latency":>8} {"poses/images":>14} {"error":>8} {"sigma":>8} '
    f'{"VIO":>8}'
)

SHORTEST_NS = 18_000_000
"""Nanoseconds between two samples of truth or odometry that are kept, in flights of hours."""

REMEMBERED = 1000
"""Frames whose pose may still come."""


class DroneMonitor:
    """The log of one drone, and its live figures: rate and latency of its poses."""

    def __init__(self, name: str, start: FloatArray) -> None:
        """Start with nothing seen."""
        self.name = name
        self.log = DroneLog(start)
        self.latencies: list[float] = []
        self.arrivals: deque[float] = deque(maxlen=50)
        self.dropped_by: dict[str, int] = {}
        self.fates: dict[str, str] = {}
        self.images, self.poses = 0, 0
        self._frames: dict[tuple[int, str], float] = {}
        self._done: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)
        self._before: Counter[str] = Counter()

    @property
    def balance(self) -> FrameBalance:
        """Return what became of the frames of all cameras of the drone."""
        known = {key: int(self.fates.get(key, '0')) for key in FATES}
        return FrameBalance(
            images=self.images,
            poses=self.poses,
            superseded=max(known['used'] - self.poses, 0),
            dropped=sum(self.dropped_by.values()),
            without_pose=known['without a pose'],
            refused=known['refused'],
            waiting=known['waiting'],
            reason=self.fates.get('reason', ''),
        )

    def on_diagnostics(self, values: dict[str, str]) -> None:
        """Note what localization_node says of the frames of the drone."""
        for key in FATES:
            if (value := values.get(f'{self.name} frames {key}')) is not None:
                self.fates[key] = str(self.grown(key, int(value)))
        if reason := values.get(f'{self.name} frame refused'):
            self.fates['reason'] = reason

    def on_dropped(self, camera: str, images: int) -> None:
        """Note how many images a camera node has dropped so far."""
        self.dropped_by[camera] = self.grown(f'dropped by {camera}', images)

    def grown(self, key: str, value: int) -> int:
        """Return a counter of another process, which begins anew when that does."""
        if key == 'waiting':
            return value
        if value < self._before[f'last {key}']:
            self._before[key] += self._before[f'last {key}']
        self._before[f'last {key}'] = value
        return self._before[key] + value

    def on_truth(self, message: PoseStamped) -> None:
        """Note where the drone truly is."""
        stamp, rotation = stamp_to_ns(message.header.stamp), message.pose.orientation
        if self.log.truth and abs(stamp - self.log.truth[-1][0]) < SHORTEST_NS:
            return
        self.log.truth.append((stamp, pose_from_message(message.pose)))
        angles = roll_pitch_yaw(np.array([rotation.x, rotation.y, rotation.z, rotation.w]))
        self.log.roll_pitch.append((stamp, angles[:2]))

    def on_odometry(self, message: Odometry) -> None:
        """Note what the VIO says."""
        stamp = stamp_to_ns(message.header.stamp)
        if self.log.odometry and abs(stamp - self.log.odometry[-1][0]) < SHORTEST_NS:
            return
        self.log.odometry.append((stamp, pose_from_message(message.pose.pose)))

    def on_camera_info(self, message: CameraInfo, camera: str = '') -> None:
        """Note when a frame was taken: camera_info travels with its image, stamp 0 wakes up."""
        frame = (stamp_to_ns(message.header.stamp), camera)
        if not frame[0] or frame in self._frames or frame in self._done:
            return
        self.images += 1
        self._frames[frame] = time.monotonic()
        while len(self._frames) > REMEMBERED:
            del self._frames[next(iter(self._frames))]

    def on_pose(self, message: PoseWithCovarianceStamped) -> None:
        """Note an estimate, and how long after its frame it came."""
        stamp, now = stamp_to_ns(message.header.stamp), time.monotonic()
        covariance = np.asarray(message.pose.covariance).reshape(6, 6)
        axes = np.array([0, 1, 2, 5])
        if not np.isfinite(covariance).all():
            raise InputError('a covariance is not finite')
        self.log.estimate.append((stamp, pose_from_message(message.pose.pose)))
        self.log.covariance.append(covariance[np.ix_(axes, axes)])
        self.arrivals.append(now)
        # Cameras that are triggered together share a stamp, and the pose.
        for frame in [frame for frame in self._frames if frame[0] == stamp]:
            self.latencies.append(1e3 * (now - self._frames.pop(frame)))
            self.poses += 1
            self._done.append(frame)

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
    frames = f'{drone.poses}/{drone.images}'
    return (
        f'{drone.name:8} {drone.rate:4.1f}Hz {latency:5.0f} ms {frames:>14} '
        f'{latest.error:6.2f} m {latest.sigma:6.2f} m {latest.vio_error:6.2f} m'
    )
