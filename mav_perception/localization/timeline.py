"""Order of time: frames wait for the odometry that they need, then go in by their own stamps."""

from __future__ import annotations

import heapq
import itertools

from mav_perception.types import Sightings, nanoseconds


class SightingQueue:
    """Holds camera frames until every living drone's odometry has reached them.

    A drone that is more than `wait` behind is not waited for: it has dropped out.
    """

    def __init__(self, wait: float) -> None:
        """Wait at most `wait` seconds of the machine's time for any frame."""
        self._wait_ns = nanoseconds(wait)
        self._heap: list[tuple[int, int, int, Sightings]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        """Return the number of waiting frames."""
        return len(self._heap)

    def add(self, sightings: Sightings, now_ns: int) -> None:
        """Put in a frame that arrived at machine time `now_ns`."""
        heapq.heappush(self._heap, (sightings.stamp_ns, next(self._order), now_ns, sightings))

    def ready(self, newest_odometry: list[int | None], now_ns: int) -> list[Sightings]:
        """Take out the frames that can be used now, the oldest first.

        Args:
            newest_odometry: stamp of the newest odometry of every drone, None before the first.
            now_ns: machine time.
        """
        released = []
        while self._heap:
            stamp, _, arrived, sightings = self._heap[0]
            covered = all(
                newest is not None and (newest >= stamp or newest + self._wait_ns < stamp)
                for newest in newest_odometry
            )
            if not covered and now_ns - arrived < self._wait_ns:
                break
            heapq.heappop(self._heap)
            released.append(sightings)
        return released
