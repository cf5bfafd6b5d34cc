"""Successive frames of one camera are correlated: how much of each is new evidence.

What hides a drone from one frame hides it from the next, and the error of an apparent size comes
from attitude, light and background, which stay for a while. Frames within a correlation time of
one another tell nearly the same, so all of them together count as about one.
"""

from __future__ import annotations

import numpy as np

from mav_perception.types import FloatArray

OBJECT_CORRELATION_TIME = 1.0
"""Seconds over which misses of a static object by one camera have one cause."""

LOST_DRONE_CORRELATION_TIME = 2.0
"""Seconds over which misses of a drone by one camera have one cause."""

SEARCH_CORRELATION_TIME = 0.2
"""Seconds over which frames of one camera tell the search for a pose the same."""

SHORTEST_INTERVAL = 1e-3
"""Seconds; keeps the noise of two cameras' frames with the same stamp finite."""


def new_evidence(elapsed: FloatArray | float, correlation_time: float) -> FloatArray:
    """Return the share, 0 to 1, of a frame's evidence that is new.

    Args:
        elapsed: seconds since the last frame of the same camera.
        correlation_time: seconds.
    """
    return np.clip(np.asarray(elapsed, float) / correlation_time, 0.0, 1.0)


def correlated_noise(noise: FloatArray, elapsed: float, correlation_time: float) -> FloatArray:
    """Return covariances (..., 3, 3) of which frames within a correlation time count as one.

    Args:
        noise: R of a single measurement.
        elapsed: seconds since the last frame of the same camera.
        correlation_time: seconds.
    """
    return noise * max(1.0, correlation_time / max(elapsed, SHORTEST_INTERVAL))
