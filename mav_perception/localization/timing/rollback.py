"""Order of time: frames wait for their odometry, and late ones go in by their own stamps."""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect_left
from dataclasses import dataclass

from mav_perception.errors import InputError, LateError
from mav_perception.localization.state import JointState
from mav_perception.types import IntArray, Sightings, nanoseconds, seconds


@dataclass(frozen=True)
class PastFrame:
    """A frame that is used already, and the joint state before it."""

    sightings: Sightings
    labels: IntArray | None
    before: JointState

    @property
    def key(self) -> tuple[int, str, str]:
        """Return what orders frames."""
        return self.sightings.key


class Timeline:
    """The frames of the last seconds with the states between them, to go back and repeat.

    States are frozen, so keeping them costs only memory, and a late message gives the same result
    as if it had come in time.
    """

    def __init__(self, window: float) -> None:
        """Remember frames for `window` seconds of stamps."""
        self._window_ns = nanoseconds(window)
        self._past: list[PastFrame] = []

    def clear(self) -> None:
        """Forget all frames, when the state was changed from outside."""
        self._past = []

    def check(self, sightings: Sightings, now_ns: int) -> None:
        """Raise InputError for a frame that is too late or that is known already."""
        late = now_ns - sightings.stamp_ns
        if late > self._window_ns:
            raise LateError(
                f'Sightings of {sightings.observer} are {seconds(late):.2f} s older than the '
                f'filter, more than late_window {seconds(self._window_ns):.1f} s: check the '
                'clock of that drone and the load of its detection node.'
            )
        if any(past.key == sightings.key for past in reversed(self._past)):
            raise InputError(
                f'Sightings of {sightings.observer} at {seconds(sightings.stamp_ns):.3f} s came '
                'before: a duplicate, it is ignored. Is one topic published twice?'
            )

    def rewind(self, key: tuple[int, str, str]) -> tuple[JointState | None, list[PastFrame]]:
        """Take out the frames after a key: the state before them (None if none) and the frames."""
        index = bisect_left(self._past, key, key=lambda past: past.key)
        later = self._past[index:]
        return (later[0].before if later else None), later

    def replace_from(self, key: tuple[int, str, str], frames: list[PastFrame]) -> None:
        """Put back frames that were repeated, and forget those older than the window."""
        index = bisect_left(self._past, key, key=lambda past: past.key)
        self._past[index:] = frames
        if self._past:
            oldest = self._past[-1].sightings.stamp_ns - self._window_ns
            del self._past[: bisect_left(self._past, (oldest, '', ''), key=lambda past: past.key)]


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

    def ready(self, newest_odometry: list[int | None], now_ns: int) -> list[Sightings]:
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
