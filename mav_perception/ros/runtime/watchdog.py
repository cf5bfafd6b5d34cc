"""A node that hangs ends its own process, so that its supervisor can start it again."""

from __future__ import annotations

import faulthandler
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.node import Node

from mav_perception.parameters import parameter
from mav_perception.ros.runtime.parameters import declare_parameters, read_parameters
from mav_perception.ros.runtime.timers import steady_timer


@dataclass(frozen=True)
class WatchdogParameters:
    """Parameter of every node that is watched."""

    hang_limit: float = parameter(
        15.0,
        'a node that hangs for so long prints where and ends its process, to be started again; '
        '0 for never [s]',
        0.0,
        600.0,
        read_only=True,
    )


class Watchdog:
    """Heartbeat of a node: the alarm goes off unless its executor puts it off in time.

    The alarm is `faulthandler`'s, a thread without the interpreter lock: it goes off even where
    the process hangs in a library, prints the stack of every thread and ends with code 1. A
    thread that runs meanwhile may crash it while it prints: the process ends all the same. It
    belongs to the whole process, so only `run_node` may `arm` it; in a program that runs several
    nodes it stays off.

    Attributes:
        limit: seconds, 0 for never.
    """

    def __init__(self, node: Node, works: Callable[[], bool] = lambda: True) -> None:
        """Declare the parameter; `works` tells whether the node's own threads are alive."""
        declare_parameters(node, WatchdogParameters)
        self.limit = read_parameters(node, WatchdogParameters).hang_limit
        self._works = works
        self._armed = self._paused = False
        if self.limit > 0.0:
            steady_timer(node, self.limit / 8.0, self._beat)

    def arm(self) -> None:
        """Begin to watch."""
        self._armed = self.limit > 0.0
        self._beat()

    def pause(self) -> None:
        """Stop watching, while something takes long that may: loading, ending."""
        self._paused = True
        faulthandler.cancel_dump_traceback_later()

    def resume(self) -> None:
        """Watch again."""
        self._paused = False
        self._beat()

    def _beat(self) -> None:
        if self._armed and not self._paused and self._works():
            faulthandler.dump_traceback_later(self.limit, exit=True)
