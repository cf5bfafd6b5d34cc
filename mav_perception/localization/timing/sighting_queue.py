"""Frames wait for the odometry that they need."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence

from mav_perception.errors import InputError
from mav_perception.types import Sightings, nanoseconds, seconds


class SightingQueue:
    """Holds camera frames until every living drone's odometry has reached them.

    A drone whose odometry lags more than `dropout` seconds behind the newest one has dropped out
    and is not waited for.
    """

    def __init__(self, wait: float, dropout: float = 1.0) -> None:
        """Wait at most `wait` seconds of the machine's time for any frame."""
        self._wait_ns, self._dropout_ns = nanoseconds(wait), nanoseconds(dropout)
        self._heap: list[tuple[int, int, int, Sightings]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        """Return the number of waiting frames."""
        return len(self._heap)

    def add(self, sightings: Sightings, now_ns: int) -> None:
        """Put in a frame that arrived at machine time `now_ns`."""
        heapq.heappush(self._heap, (sightings.stamp_ns, next(self._order), now_ns, sightings))

    def ready(self, newest_odometry: Sequence[int | None], now_ns: int) -> list[Sightings]:
        """Take out the frames that can be used now, the oldest first.

        Args:
            newest_odometry: stamp of the newest odometry of every drone, None before the first.
            now_ns: machine time.
        """
        released = []
        known = [newest for newest in newest_odometry if newest is not None]
        all_known = len(known) == len(newest_odometry)
        living = [newest for newest in known if newest + self._dropout_ns >= max(known)]
        while self._heap:
            stamp, _, arrived, sightings = self._heap[0]
            covered = all_known and min(living) >= stamp
            if not covered and now_ns - arrived < self._wait_ns:
                break
            heapq.heappop(self._heap)
            released.append(sightings)
        return released


def check_not_future(stamp_ns: int, now_ns: int, tolerance: float, what: str) -> None:
    """Raise InputError for a stamp more than `tolerance` seconds ahead of a clock that runs."""
    ahead = seconds(stamp_ns - now_ns)
    if now_ns > 0 and ahead > tolerance:
        raise InputError(
            f'{what} has a stamp {ahead:.1f} s in the future: synchronise the clocks (chrony), or '
            'set use_sim_time alike on all nodes.'
        )
