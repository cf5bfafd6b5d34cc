"""A process that ends when the one that started it is gone, however that ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PARENT = 'MAV_PERCEPTION_PARENT'
"""Environment: process id of a parent to die with, or any other text for whoever it is."""

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM at the death of the parent, if the environment says so."""
    wanted = os.environ.get(PARENT, '')
    if not wanted or not sys.platform.startswith('linux'):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if wanted.isdecimal() and os.getppid() != int(wanted):
        raise SystemExit(0)  # it was gone before
