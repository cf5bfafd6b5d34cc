"""A process that ends when the one that started it is gone, however that ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PARENT = 'MAV_PERCEPTION_PARENT'
"""Environment: process id of a parent to die with, or any other text for whoever it is.

With the id a process that starts while its parent ends notices that too.
"""

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM at the death of the parent, if the environment says so."""
    wanted = os.environ.get(PARENT, '')
    if not wanted or not sys.platform.startswith('linux'):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if wanted.isdecimal() and not _lives(int(wanted)):
        print(f'The process {wanted} of {PARENT} has ended, so this one does.', file=sys.stderr)
        raise SystemExit(0)


def _lives(process: int) -> bool:
    """Tell whether a process is there and has not ended."""
    try:
        state = Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0]
    except OSError:
        return False
    return state not in 'ZX'
