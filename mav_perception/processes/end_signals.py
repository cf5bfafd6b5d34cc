"""Signals that ask a process to end, taken by one thread: no other is ever interrupted.

The signals are blocked before any library starts a thread, since one that does not block them
would be given them, and whoever waits for them would not.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

IMPATIENCE = 3
"""So many signals, apart from each other, end a process although something hangs."""

APART = 1.0
"""Signals within so many seconds are one: a closed terminal and a dying parent send several."""


class EndSignals:
    """Waits for SIGINT, SIGTERM and SIGHUP; a SIGHUP that is ignored, as by nohup, stays so."""

    def __init__(self) -> None:
        """Block the signals in this thread and in all that it will start, and wait for them."""
        signals = {signal.SIGINT, signal.SIGTERM}
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signals.add(signal.SIGHUP)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        self._signals, self._lock = signals, threading.Lock()
        self._asked = False
        self._end: Callable[[], None] | None = None
        threading.Thread(target=self._wait, name='end_signals', daemon=True).start()

    def call(self, end: Callable[[], None]) -> None:
        """Have this called at the first signal; before that a signal ends the process at once."""
        with self._lock:
            self._end = end
            asked = self._asked
        if asked:
            end()

    def _wait(self) -> None:
        count, last = 0, -APART
        while count < IMPATIENCE:
            signal.sigwait(self._signals)
            now = time.monotonic()
            if now - last < APART:
                continue
            count, last = count + 1, now
            with self._lock:
                self._asked, end = True, self._end
            if end is None:
                os._exit(0)  # nothing has begun that could be lost
            end()
        os._exit(130)


_signals: EndSignals | None = None


def end_signals() -> EndSignals:
    """Return what waits for the signals of this process, from the first call on."""
    global _signals
    if _signals is None:
        _signals = EndSignals()
    return _signals


def takes_signals(pid: int) -> bool:
    """Tell whether a process has taken over SIGTERM: before that, any program just dies of it."""
    try:
        status = Path(f'/proc/{pid}/status').read_text()
    except OSError:
        return False
    lines = [line.split() for line in status.splitlines()]
    taken = [int(line[1], 16) for line in lines if line[0] in ('SigCgt:', 'SigBlk:')]
    return any(mask & (1 << (signal.SIGTERM - 1)) for mask in taken)
