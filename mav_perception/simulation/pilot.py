"""Velocity commands that keep a drone of another simulator on a planned flight path."""

from __future__ import annotations

import numpy as np

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.simulation.flight.trajectories import FlightPath
from mav_perception.types import FloatArray

POSITION_GAIN = 1.2
"""Metres a second for each metre off the path."""

YAW_GAIN = 1.5
FASTEST, FASTEST_TURN = 3.0, 1.5
"""Limits of a command, m/s and rad/s."""

STEP = 0.05


def velocity_command(path: FlightPath, time: float, pose: FloatArray) -> FloatArray:
    """Return velocity x, y, z in the levelled body frame and yaw rate, m/s and rad/s.

    The path's own velocity leads, and what the drone is off the path is made good.

    Args:
        path: where the drone should be.
        time: seconds since the flight began; 0 holds where the path begins.
        pose: (4,) where it is, x, y, z, yaw in the frame of the path.
    """
    around = np.array([time - STEP, time, time + STEP])
    places, yaws = path.position(around), path.yaw(around)
    lead = float(time > 0.0) / (2.0 * STEP)  # before the flight the path stands still
    velocity = lead * (places[2] - places[0]) + POSITION_GAIN * (places[1] - pose[:3])
    speed = float(np.linalg.norm(velocity))
    velocity *= min(1.0, FASTEST / max(speed, 1e-9))
    rate = lead * (yaws[2] - yaws[0]) + YAW_GAIN * wrap_angle(yaws[1] - pose[3])
    level = yaw_rotation(-pose[3]) @ velocity
    return np.array([*level, float(np.clip(rate, -FASTEST_TURN, FASTEST_TURN))])
