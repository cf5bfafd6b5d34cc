"""Frames wait for the odometry that they need."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping

from mav_perception.errors import InputError
from mav_perception.types import Sightings, nanoseconds, seconds

ANOTHER_CLOCK = 3600.0
"""A stamp that is so many seconds old is of another clock: no message is under way for so long."""

BEHIND_NS = nanoseconds(5.0)
"""A machine under load catches up with odometry that is not farther behind its frame."""

OVERDUE_NS = 2 * BEHIND_NS
"""A frame that has waited for so long shows that the machine does not keep up."""


class SightingQueue:
    """Holds camera frames until every living drone's odometry has reached them.

    A drone whose odometry lags more than `dropout` seconds behind the newest one has dropped out
    and is not waited for. The odometry of the camera's own drone is, for `BEHIND_NS` at most:
    without it a frame cannot be used, and while it comes in, this machine is only behind.
    """

    def __init__(self, wait: float, dropout: float = 1.0) -> None:
        """Let a frame wait at most `wait` seconds of the machine's time.

        They count from its arrival or, while the odometry of its drone comes in, from the last of
        that.
        """
        self._wait_ns, self._dropout_ns = nanoseconds(wait), nanoseconds(dropout)
        self._heap: list[tuple[int, int, int, Sightings]] = []
        self._order = itertools.count()
        self._heard: dict[str, int] = {}

    def __len__(self) -> int:
        """Return the number of waiting frames."""
        return len(self._heap)

    def add(self, sightings: Sightings, now_ns: int) -> None:
        """Put in a frame that arrived at machine time `now_ns`."""
        heapq.heappush(self._heap, (sightings.stamp_ns, next(self._order), now_ns, sightings))

    def heard(self, drone: str, now_ns: int) -> None:
        """Note that odometry of a drone arrived at machine time `now_ns`."""
        self._heard[drone] = now_ns

    def overdue(self, now_ns: int) -> list[Sightings]:
        """Take out the frames that came too long ago: whoever uses them does not keep up."""
        late = [entry for entry in self._heap if now_ns - entry[2] > OVERDUE_NS]
        if late:
            self._heap = [entry for entry in self._heap if now_ns - entry[2] <= OVERDUE_NS]
            heapq.heapify(self._heap)
        return [sightings for *_, sightings in late]

    def ready(self, newest_odometry: Mapping[str, int | None], now_ns: int) -> Iterator[Sightings]:
        """Take out the frames that can be used now, one by one, the oldest first.

        Args:
            newest_odometry: stamp of the newest odometry of every drone, None before the first.
            now_ns: machine time.
        """
        known = [newest for newest in newest_odometry.values() if newest is not None]
        all_known = len(known) == len(newest_odometry)
        living = [newest for newest in known if newest + self._dropout_ns >= max(known)]
        while self._heap:
            stamp, _, arrived, sightings = self._heap[0]
            own = newest_odometry[sightings.observer]
            on_its_way = own is not None and own in living and own < stamp <= own + BEHIND_NS
            since = max(arrived, self._heard.get(sightings.observer, 0)) if on_its_way else arrived
            covered = all_known and min(living) >= stamp
            waits = now_ns - since < self._wait_ns and now_ns - arrived < BEHIND_NS + self._wait_ns
            if not covered and waits:
                break
            heapq.heappop(self._heap)
            yield sightings


def check_stamp(stamp_ns: int, now_ns: int, tolerance: float, what: str) -> str:
    """Return what is strange about a stamp that can be used, mostly nothing.

    Args:
        stamp_ns: of a message.
        now_ns: of a clock; 0 if it does not run yet, then every stamp is fine.
        tolerance: how many seconds a stamp may be ahead.
        what: whose stamp, for the text.

    Raises:
        InputError: no stamp at all, or one ahead of the clock.
    """
    if now_ns <= 0:
        return ''
    if stamp_ns == 0 and seconds(now_ns) > ANOTHER_CLOCK:  # simulated time begins with 0
        raise InputError(f'{what}: stamp 0, its publisher does not set header.stamp.')
    ahead = seconds(stamp_ns - now_ns)
    if ahead > tolerance:
        raise InputError(
            f'{what}: stamp {_span(ahead)} in the future: synchronise the clocks (chrony), or set '
            'use_sim_time alike on all nodes.'
        )
    if -ahead > ANOTHER_CLOCK:
        return (
            f'{what}: stamp {_span(-ahead)} in the past: it is of another clock, such as the '
            'uptime of a driver, or recorded: then set use_sim_time.'
        )
    return ''


def _span(duration: float) -> str:
    days = duration / 86_400.0
    return f'{days:.0f} days' if days > 2.0 else f'{duration:.1f} s'
