"""Timers that run by the clock of the machine, whatever simulated time does."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer


def steady_timer(node: Node, period: float, callback: Callable[[], None]) -> Timer:
    """Call back once a period; a node with `use_sim_time` is served before a flight too.

    Args:
        node: whose executor calls.
        period: seconds of the machine's monotonic clock; 0 for as soon as it spins.
        callback: without arguments.
    """
    return node.create_timer(period, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))
