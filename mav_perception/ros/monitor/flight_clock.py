"""How long a flight has lasted by the stamps of its drones, and whether it is over."""

from __future__ import annotations

import time
from collections.abc import Sequence

from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.types import nanoseconds, seconds

LAST_STEP = 0.3
"""Seconds by which the last stamp that is heard may fall short of the length of the flight."""

QUIET = 0.5
"""Seconds of the machine without anything new after which that stamp was the last."""


class FlightClock:
    """The time of a flight.

    Attributes:
        begin_ns: its first stamp; 0 for simulated time, which begins there.
        flown: seconds since then.
    """

    def __init__(self, duration: float) -> None:
        """Begin; the flight ends after so many seconds, with 0 when somebody ends it."""
        self._duration = duration
        self._grown = time.monotonic()
        self.begin_ns, self.flown = 0, 0.0

    def read(self, logs: Sequence[DroneLog]) -> None:
        """Take the newest stamps of all drones: of their truth, or else of their odometry."""
        known = [rows for log in logs if (rows := log.truth or log.odometry)]
        begin = min((rows[0][0] for rows in known), default=0)
        # Simulated time begins with 0, whenever it was first heard.
        self.begin_ns = 0 if begin < nanoseconds(self._duration) else begin
        flown = max((seconds(rows[-1][0] - self.begin_ns) for rows in known), default=0.0)
        if flown > self.flown:
            self.flown, self._grown = flown, time.monotonic()

    @property
    def is_over(self) -> bool:
        """Tell whether the flight has reached its end, and nothing more of it comes."""
        if not self._duration or not self.flown or self.flown < self._duration - LAST_STEP:
            return False
        return self.flown >= self._duration or time.monotonic() - self._grown > QUIET
