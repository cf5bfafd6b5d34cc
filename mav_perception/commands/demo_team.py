"""Localize a team of one's own: the nodes of team.launch.py, a live table and a report."""

from __future__ import annotations

import argparse
import sys
import time

from mav_perception.commands.demo import forget_flight, start_monitor, start_recorder
from mav_perception.commands.flight_options import DEFAULT_SCENARIO
from mav_perception.errors import ConfigurationError
from mav_perception.localization.team.team_file import load_team, team_from_entries
from mav_perception.processes.node_processes import NodeProcesses, node_environment
from mav_perception.processes.own_team import OwnTeam

REPORT_LIMIT = 120.0
"""Seconds that writing the report may take."""

SIMULATED = ('drones', 'rate', 'seed')

DEATHS, WITHIN = 5, 60.0
"""A node that dies so many times within so many seconds is not started again."""


def localize_team(arguments: argparse.Namespace) -> int:
    """Start the nodes, show the table until Ctrl-C or for `--duration`, write the report."""
    for name in SIMULATED:
        if getattr(arguments, name) is not None:
            raise ConfigurationError(f'--{name} is for simulated flights: leave it or --team out.')
    if arguments.scenario != DEFAULT_SCENARIO:
        raise ConfigurationError('--scenario is for simulated flights: leave it or --team out.')
    entries = load_team(arguments.team)
    team_from_entries(entries)  # one that cannot fly is said before anything starts
    forget_flight(arguments.output)
    team = OwnTeam(arguments.team, arguments.model, arguments.params, arguments.sim_time)
    environment = node_environment()
    cameras = sum(len(entry.cameras) for entry in entries)
    domain = environment.get('ROS_DOMAIN_ID', '0')
    print(
        f'starting {2 + cameras} nodes for {", ".join(entry.name for entry in entries)} in '
        f'ROS_DOMAIN_ID {domain}; logs in {arguments.output / "logs"}. Ctrl-C ends the flight.',
        flush=True,
    )
    with NodeProcesses(environment, arguments.output / 'logs') as nodes:
        if arguments.record:
            start_recorder(nodes, arguments.record, images=False)
        team.start(nodes)
        about = {'team': str(arguments.team)}
        start_monitor(nodes, arguments.team, arguments, about, {}, respawn=True)
        wait_for_the_end(nodes, arguments.duration)
        nodes.end('monitor', REPORT_LIMIT)
        codes = nodes.stop()
    failed = {name: code for name, code in codes.items() if code != 0}
    if failed:
        print(f'failed: {failed}. See {arguments.output / "logs"}.', file=sys.stderr)
    return int(bool(failed))


def wait_for_the_end(nodes: NodeProcesses, duration: float | None) -> None:
    """Start again what dies, the table too, until Ctrl-C or the end of the time."""
    deadline = float('inf') if duration is None else time.monotonic() + duration
    deaths: dict[str, list[float]] = {}
    try:
        while time.monotonic() < deadline:
            for name in nodes.revive():
                note_death(nodes, name, deaths.setdefault(name, []))
            if 'recorder' in nodes.dead() and 'recorder' not in deaths:
                deaths['recorder'] = []
                print('recorder died: nothing is recorded any more, see its log', file=sys.stderr)
            time.sleep(0.5)
    except KeyboardInterrupt:
        print('\nending the flight, writing the report ...', flush=True)


def note_death(nodes: NodeProcesses, name: str, deaths: list[float]) -> None:
    """Say that a node died; give it up if it does so again and again."""
    deaths.append(time.monotonic())
    if len(deaths) >= DEATHS and deaths[-1] - deaths[-DEATHS] < WITHIN:
        nodes.give_up(name)
        print(f'{name} died {DEATHS} times: given up. Its log says why.', file=sys.stderr)
    else:
        print(f'{name} died and is started again: see its log', file=sys.stderr)
