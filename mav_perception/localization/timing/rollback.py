"""Rollback: a late message goes back to an earlier state, and what came after is repeated.

States are frozen, so keeping them costs only memory, and a late message gives the same result as
if it had come in time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from mav_perception.errors import InputError, LateError
from mav_perception.localization.state import JointState
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import Sightings, nanoseconds, seconds

Step = Callable[[JointState, Sightings], tuple[JointState, UpdateReport]]
"""A state and a frame -> the state after the frame, and what happened."""

DUPLICATE = (
    'Sightings of {} at {:.3f} s came before: a duplicate, it is ignored. Is one topic published '
    'twice?'
)


@dataclass(frozen=True)
class PastFrame:
    """A frame that is used already, and the joint state before it."""

    sightings: Sightings
    before: JointState

    @property
    def key(self) -> tuple[int, str, str]:
        """Return what orders frames."""
        return self.sightings.key


def check_order(sightings: Sightings, used_ns: int) -> None:
    """Raise InputError for a frame of a camera that is not newer than the last one used.

    Frames that come late are put in their place in time, unless the past was closed meanwhile,
    since a drone was put in or taken out: then it is not known any more which were used.

    Args:
        sightings: the frame.
        used_ns: stamp of the last frame of the same camera in the state that it meets.
    """
    if sightings.stamp_ns == used_ns:
        raise InputError(DUPLICATE.format(sightings.observer, seconds(sightings.stamp_ns)))
    if sightings.stamp_ns < used_ns:
        late = seconds(used_ns - sightings.stamp_ns)
        raise LateError(
            f'Sightings of {sightings.observer} are {late:.2f} s older than others of the same '
            'camera, and a drone was put in or taken out meanwhile: they are left out.'
        )


class Rollback:
    """The frames of the last seconds with the states between them, to go back and repeat."""

    def __init__(self, window: float) -> None:
        """Remember frames for `window` seconds of stamps."""
        self._window_ns = nanoseconds(window)
        self._past: list[PastFrame] = []
        self._changed_ns: int | None = None

    def clear(self) -> None:
        """Forget all frames, when the state was changed from outside."""
        self._past, self._changed_ns = [], None

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
            raise InputError(DUPLICATE.format(sightings.observer, seconds(sightings.stamp_ns)))

    def insert(
        self, sightings: Sightings, now: JointState, step: Step
    ) -> tuple[JointState, UpdateReport]:
        """Put a frame in its place in time; repeat the frames after it.

        Args:
            sightings: the frame.
            now: joint state after all frames so far, up to date.
            step: how a frame is used.

        Returns:
            the joint state after all frames, and what happened in the new one.
        """
        state, reports = self._replay(sightings.key, [sightings], now, step)
        return state, reports[0]

    def odometry_changed(self, after_ns: int) -> None:
        """Note that odometry has changed after a stamp: frames there are not up to date.

        Late odometry comes in bursts, at a higher rate than frames: they are repeated once, when
        somebody asks for the state.
        """
        known = self._changed_ns
        self._changed_ns = after_ns if known is None else min(known, after_ns)

    def up_to_date(self, now: JointState, step: Step) -> JointState:
        """Repeat the frames after which odometry has changed.

        Raises:
            InputError: a frame is refused now; the state stays as it was.
        """
        if self._changed_ns is None:
            return now
        key, self._changed_ns = (self._changed_ns + 1, '', ''), None
        return self._replay(key, [], now, step)[0]

    def _replay(
        self, key: tuple[int, str, str], new: list[Sightings], now: JointState, step: Step
    ) -> tuple[JointState, list[UpdateReport]]:
        """Go back before a key, use new frames, then those that came after; all or nothing."""
        index = bisect_left(self._past, key, key=lambda past: past.key)
        later = self._past[index:]
        state = later[0].before if later else now
        done, reports = [], []
        for sightings in [*new, *(past.sightings for past in later)]:
            done.append(PastFrame(sightings, state))
            state, report = step(state, sightings)
            reports.append(report)
        self._past[index:] = done
        self._forget()
        return state, reports

    def _forget(self) -> None:
        if self._past:
            oldest = self._past[-1].sightings.stamp_ns - self._window_ns
            del self._past[: bisect_left(self._past, (oldest, '', ''), key=lambda past: past.key)]
