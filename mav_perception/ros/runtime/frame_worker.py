"""A thread that works on the newest frame; older ones that it could not take are counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Frame = TypeVar('Frame')


class FrameWorker(Generic[Frame]):
    """Latest-frame-wins slot of one and the thread that empties it."""

    def __init__(self, work: Callable[[Frame], None]) -> None:
        """Start the thread; `work` must handle its own errors."""
        self.dropped = 0
        self._work = work
        self._slot: Frame | None = None
        self._stopping = False
        self._busy_since: float | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name='frame_worker', daemon=True)
        self._thread.start()

    def offer(self, frame: Frame) -> None:
        """Put a frame into the slot; one that still waits there is dropped and counted."""
        with self._changed:
            if self._slot is not None:
                self.dropped += 1
            self._slot = frame
            self._changed.notify()

    def busy_for(self) -> float:
        """Return the seconds that the frame in hand has taken so far."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def stop(self) -> None:
        """Finish the frame in hand and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout=10.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._slot is not None or self._stopping)
                if self._stopping:
                    return
                frame, self._slot = self._slot, None
            assert frame is not None
            self._busy_since = time.monotonic()
            self._work(frame)
            self._busy_since = None
