"""Real time where the machine keeps up, slower simulated time where it does not."""

from __future__ import annotations

import threading
import time

SHORT = 0.5
"""Seconds that a consumer is waited for which has let a frame get lost."""


class FlowControl:
    """Counts frames that are under way to a consumer and holds the simulator back.

    Every frame that is sent must come back. While a drone has `window` frames under way the
    simulator waits, so simulated time slows down instead of frames being dropped. Whoever has let
    one frame get lost is hardly waited for until it answers again.
    """

    def __init__(self, drones: int, window: int, patience: float) -> None:
        """Give up on frames that have not come back after `patience` seconds."""
        self._under_way: list[dict[int, float]] = [{} for _ in range(drones)]
        self._window, self._patience = window, patience
        self._returned = threading.Condition()
        self._answered, self._gone = [False] * drones, [False] * drones
        self.lost = 0

    def sent(self, drone: int, stamp_ns: int) -> None:
        """Note that a frame has left."""
        with self._returned:
            self._under_way[drone][stamp_ns] = time.monotonic()

    def returned(self, drone: int, stamp_ns: int) -> None:
        """Note that the measurement of a frame has come."""
        with self._returned:
            self._under_way[drone].pop(stamp_ns, None)
            self._answered[drone], self._gone[drone] = True, False
            self._returned.notify_all()

    def answered(self, drone: int) -> bool:
        """Tell whether any measurement of a drone has ever come."""
        with self._returned:
            return self._answered[drone]

    def wait_for_room(self, drone: int, stopping: threading.Event) -> None:
        """Block until a drone may send another frame; frames beyond patience count as lost."""
        with self._returned:
            while len(self._under_way[drone]) >= self._window and not stopping.is_set():
                oldest = min(self._under_way[drone], key=self._under_way[drone].__getitem__)
                age = time.monotonic() - self._under_way[drone][oldest]
                patience = min(self._patience, SHORT) if self._gone[drone] else self._patience
                if age > patience:
                    del self._under_way[drone][oldest]
                    self._gone[drone] = True
                    self.lost += 1
                    continue
                self._returned.wait(timeout=min(0.2, patience - age + 0.01))


class RealTimePacer:
    """Turns simulated seconds into machine seconds and measures the real-time factor."""

    def __init__(self) -> None:
        """Start the clock at the first tick."""
        self._begin: float | None = None
        self._late = 0.0
        self._recent: list[tuple[float, float]] = []

    def wait_until(self, simulated: float, stopping: threading.Event) -> None:
        """Sleep until a simulated time is due; what was lost before is not caught up."""
        now = time.monotonic()
        if self._begin is None:
            self._begin = now
        due = self._begin + self._late + simulated
        if now > due:
            self._late += now - due
        else:
            stopping.wait(due - now)
        self._recent.append((time.monotonic(), simulated))
        del self._recent[:-100]

    @property
    def real_time_factor(self) -> float:
        """Return simulated over real seconds of the last hundred ticks."""
        if len(self._recent) < 2:
            return 1.0
        (wall0, sim0), (wall1, sim1) = self._recent[0], self._recent[-1]
        return (sim1 - sim0) / max(wall1 - wall0, 1e-6)

    @property
    def whole_flight(self) -> float:
        """Return simulated over real seconds since the first tick."""
        if self._begin is None or len(self._recent) < 2:
            return 1.0
        wall, simulated = self._recent[-1]
        return simulated / max(wall - self._begin, 1e-6)
