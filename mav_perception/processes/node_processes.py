"""Start the package's nodes as processes, watch them, and end them cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from mav_perception.processes.fastdds_profile import use_shipped_profile
from mav_perception.processes.parent import PARENT
from mav_perception.resources import find_executable, find_share

GRACE = 8.0
"""Seconds that a node has to end after SIGINT, and again after SIGTERM."""


def ros_environment() -> dict[str, str]:
    """Return the environment of nodes for a simulated team: a domain of its own, here only.

    What the user has set stays as it is.
    """
    environment = node_environment()
    environment.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    environment.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    return environment


def node_environment() -> dict[str, str]:
    """Return the environment of nodes in the graph that the user is in, with large images."""
    environment = dict(os.environ)
    # Wheels re-execute Python once to find their libraries; a child must do that anew.
    environment.pop('_ROS_WHEELS_BOOTSTRAP_COMPLETE', None)
    environment.setdefault('AMENT_PREFIX_PATH', sys.prefix)
    use_shipped_profile(environment)
    environment[PARENT] = str(os.getpid())
    # One thread a process: the machine's cores are shared out by the operating system.
    for variable in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
        environment.setdefault(variable, '1')
    return environment


def ros_arguments(
    parameters: Mapping[str, object],
    config: str = '',
    namespace: str = '',
    more: Sequence[str] = (),
) -> list[str]:
    """Return --ros-args: a shipped config file, more arguments, parameters that win over both.

    rcl reads the values as YAML, of which JSON is a part: a folder that is called 2026 or
    'run #3' stays one.

    Args:
        parameters: name -> truth value, number, text, path, or a list of texts.
        config: name of a shipped file.
        namespace: of the node.
        more: other arguments.
    """
    given = ['-r', f'__ns:=/{namespace}'] if namespace else []
    if config:
        given += ['--params-file', str(find_share('config', f'{config}.yaml'))]
    given += more
    for name, value in parameters.items():
        given += ['-p', f'{name}:={json.dumps(value, default=str, ensure_ascii=False)}']
    return ['--ros-args', *given]


def become_node(executable: str, arguments: list[str]) -> int:
    """Turn this process into one node, in the environment as it is; does not return."""
    environment = dict(os.environ)
    environment.pop('_ROS_WHEELS_BOOTSTRAP_COMPLETE', None)
    environment.setdefault('AMENT_PREFIX_PATH', sys.prefix)
    path = str(find_executable(executable))
    os.execve(path, [path, *arguments], environment)


class NodeProcesses:
    """Named child processes; leaving the context ends all of them."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        """Write each node's output to `logs/NAME.log`."""
        self._environment, self._logs = dict(environment), logs
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: dict[str, tuple[list[str], bool]] = {}
        self._respawned: set[str] = set()
        logs.mkdir(parents=True, exist_ok=True)
        for old in logs.glob('*.log'):
            old.unlink()

    def __enter__(self) -> NodeProcesses:
        """Enter with no process yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what still runs."""
        self.stop()

    def start(
        self,
        name: str,
        executable: str,
        arguments: list[str],
        quiet: bool = True,
        respawn: bool = False,
    ) -> None:
        """Start one node under a unique name; with `quiet` its output goes to the log.

        With `respawn` it is started again by `revive` if it dies.
        """
        command = [str(find_executable(executable)), *arguments]
        self._commands[name] = (command, quiet)
        if respawn:
            self._respawned.add(name)
        self._launch(name)

    def revive(self) -> list[str]:
        """Start again what has died and was to be respawned; return the names."""
        died = [name for name in self.dead() if name in self._respawned]
        for name in died:
            self._launch(name)
        return died

    def give_up(self, name: str) -> None:
        """Do not start a node again."""
        self._respawned.discard(name)

    @property
    def names(self) -> list[str]:
        """Return all nodes."""
        return list(self._children)

    def pid(self, name: str) -> int:
        """Return the process id of a node."""
        return self._children[name].pid

    def _launch(self, name: str) -> None:
        command, quiet = self._commands[name]
        log = (self._logs / f'{name}.log').open('ab') if quiet else None
        # A session of its own, so that Ctrl-C in the terminal reaches only the parent, which then
        # ends the nodes in order.
        self._children[name] = subprocess.Popen(
            command,
            env=self._environment,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        if log:
            log.close()

    def exit_code(self, name: str) -> int | None:
        """Return the exit code of a node, or None while it runs."""
        return self._children[name].poll()

    def dead(self) -> dict[str, int]:
        """Return the nodes that have ended, with their exit codes."""
        codes = {name: child.poll() for name, child in self._children.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def end(self, name: str, limit: float) -> None:
        """End one node with SIGINT, and wait for it as many seconds as it may take."""
        self._children[name].send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self._children[name].wait(limit)

    def stop(self) -> dict[str, int]:
        """End all nodes with SIGINT, then SIGTERM, then SIGKILL, and return their exit codes."""
        for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            for child in self._children.values():
                if child.poll() is None:
                    child.send_signal(signal_number)
            deadline = time.monotonic() + GRACE
            while time.monotonic() < deadline and len(self.dead()) < len(self._children):
                time.sleep(0.05)
        return self.dead()
