"""Jumps of odometry: a sample that a drone cannot have reached, so that its VIO restarted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.localization.odometry.rows import GAP, RAW, ROLL_PITCH
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray

MAX_ACCELERATION = 20.0
"""Largest plausible acceleration, m/s^2: it bounds how far a path leaves its own straight line."""

MAX_TURN_ACCELERATION = 20.0
"""The same of the yaw, rad/s^2."""

MAX_BREAK = 0.5
"""Over a break longer than this, seconds, the path in between is not known."""

AT_ORIGIN = 0.05
"""A VIO that restarts begins this near to its origin, metres."""

SHORTEST_STEP = 0.02
"""Seconds: stamps of a driver are not more exact, and a speed over less means nothing."""


def has_jumped(
    rows: Sequence[FloatArray], times: Sequence[float], parameters: FilterParameters
) -> bool:
    """Tell whether the last step is faster than the drone, or far off the way it was going.

    Args:
        rows: two or three rows of a history, the newest last; its raw yaw is unwrapped.
        times: of them, seconds.
        parameters: `max_speed`, `jump_distance` and `jump_yaw`.
    """
    last, now = rows[-2:]
    step, elapsed = now[RAW] - last[RAW], times[-1] - times[-2]
    distance, far = float(np.linalg.norm(step[:3])), parameters.jump_distance
    if distance > parameters.max_speed * max(elapsed, SHORTEST_STEP):
        return True
    at_origin = float(np.linalg.norm(now[RAW][:3])) < AT_ORIGIN
    if elapsed > MAX_BREAK and at_origin:
        # It begins anew; a drone that comes back to its origin so exactly is rare.
        return distance > far
    if len(rows) < 3:
        return False
    before, since = rows[0], max(times[1] - times[0], 1e-3)
    if since > MAX_BREAK or last[GAP] > before[GAP]:
        return False  # the way it was going is not known well enough
    off = step - elapsed / since * (last[RAW] - before[RAW])
    # s = a t^2 / 2, where the velocity is the mean over the step before.
    half_square = 0.5 * elapsed * (elapsed + since)
    if np.linalg.norm(off[:3]) > far + (0.0 if at_origin else MAX_ACCELERATION * half_square):
        return True
    most = parameters.jump_yaw + MAX_TURN_ACCELERATION * half_square
    # Yaw alone jumps where the nose goes through the vertical.
    return bool(abs(off[3]) > most and _rotation(last, now) > most)


def _rotation(last: FloatArray, now: FloatArray) -> float:
    """Return by what angle a drone has turned in all, radians."""
    one, other = (
        Rotation.from_euler('ZYX', [row[RAW][3], *row[ROLL_PITCH][::-1]]) for row in (last, now)
    )
    return float((one.inv() * other).magnitude())
