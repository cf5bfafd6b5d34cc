"""Start, spin and end a node cleanly: same main for every executable."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from mav_perception.errors import MavPerceptionError
from mav_perception.processes.blas_threads import use_one_blas_thread
from mav_perception.processes.end_signals import end_signals
from mav_perception.processes.fastdds_profile import use_shipped_profile
from mav_perception.processes.parent import die_with_parent
from mav_perception.ros.runtime.watchdog import Watchdog

try:  # not public in every distribution
    from rclpy._rclpy_pybind11 import RCLError
except ImportError:
    RCLError = RuntimeError


TEARDOWN_LIMIT = 15.0
"""Seconds that a node may take to release itself before its process ends without."""


def run_node(make: Callable[[], Node]) -> int:
    """Build a node, spin it until SIGINT, SIGTERM, SIGHUP or its own request, and release it.

    A node may have a method `close()` that joins its threads, a `teardown_limit` for that, a
    `watchdog` that is armed here, and ends itself by raising SystemExit from a callback. Its
    threads have stopped before the context goes: rclpy's own handlers would take that away first.

    Returns:
        Exit code: 0 for a clean end, that of the error if the node could not be built.
    """
    ended = _prepare_process()
    node: Node | None = None
    code = 0
    try:
        rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    except RCLError as error:
        print(f'{_program()}: wrong --ros-args: {error}', file=sys.stderr)
        return 2
    try:
        node = make()
        watch: Watchdog | None = getattr(node, 'watchdog', None)
        if watch is not None:
            watch.arm()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin_until_future_complete(ended)
    except ExternalShutdownException:
        pass
    except SystemExit as request:
        code = int(request.code or 0)
    except MavPerceptionError as error:
        print(f'{_program()}: {error}', file=sys.stderr)
        code = error.exit_code
    finally:
        faulthandler.cancel_dump_traceback_later()
        # Middleware teardown has been seen to hang after the work was done; a drone's process
        # must end all the same, so that its supervisor can start it again.
        seconds = getattr(node, 'teardown_limit', TEARDOWN_LIMIT)
        limit = threading.Timer(seconds, _give_up, [code, seconds])
        limit.daemon = True
        limit.start()
        code = _release(node) or code
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _prepare_process() -> Future[None]:
    """Return what is done when a signal asks for the end; set up what holds for the process."""
    logging.basicConfig(level=logging.WARNING)
    ended: Future[None] = Future()
    end_signals().call(lambda: None if ended.done() else ended.set_result(None))
    die_with_parent()
    use_one_blas_thread()
    use_shipped_profile(os.environ)
    return ended


def _program() -> str:
    return sys.argv[0].rsplit('/', 1)[-1]


def _give_up(code: int, seconds: float) -> None:
    """End the process although something hangs, and say what."""
    try:
        print(f'{_program()}: did not end within {seconds:.0f} s:', file=sys.stderr)
        faulthandler.dump_traceback(file=sys.stderr)
    finally:  # whoever read it may be gone
        os._exit(code)


def _release(node: Node | None) -> int:
    """Release a node; return 1 if what it had to write at the end could not be written."""
    code = 0
    if node is not None:
        try:
            if hasattr(node, 'close'):
                node.close()
        except (MavPerceptionError, OSError) as error:
            print(f'{_program()}: {error}', file=sys.stderr)
            code = 1
        node.destroy_node()
    rclpy.try_shutdown()
    return code
