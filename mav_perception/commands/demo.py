"""Fly a simulated team over real ROS 2 and localize it; or localize a team of your own.

Every drone has a camera node; one localization node serves the team.
All are processes of their own, the same executables that the launch files start. Ends with exit
code 0 only if every node lived, the team's poses beat VIO alone and most sightings are true.

With --team the nodes of a real team are started, as team.launch.py does, on a machine without
`ros2 launch`; Ctrl-C ends them and writes the report.

Examples:
  mav-perception demo --drones 4 --duration 60 --seed 1 --record flight_bag
  mav-perception demo --team team.yaml --params my_params.yaml --model drone
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
import time
from pathlib import Path

from mav_perception.commands.command_parser import at_least
from mav_perception.commands.flight_options import add_flight_options
from mav_perception.errors import ConfigurationError
from mav_perception.processes.node_processes import NodeProcesses, ros_arguments, ros_environment
from mav_perception.processes.output_folder import claimed
from mav_perception.processes.ros_domain import free_domain
from mav_perception.processes.simulated_team import SimulatedTeam
from mav_perception.simulation.flight.scenario_files import load_scenario

SLOWEST = 20.0
"""The demo gives up when it has taken this many times the flight's duration, plus two minutes."""

RESULTS = ('summary.json', 'tracks.png', 'report.html')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_flight_options(parser)
    parser.add_argument(
        '--drones', type=at_least(1), help="size of the team (default: the scenario's)"
    )
    parser.add_argument('--duration', type=float, help="seconds (default: the scenario's)")
    parser.add_argument(
        '--rate', type=float, help="camera frames a second (default: the scenario's)"
    )
    parser.add_argument('--model', help='segmentation model (default: sim, with --team drone)')
    parser.add_argument(
        '--team',
        type=Path,
        metavar='TEAM.yaml',
        help='localize these drones; nothing is simulated',
    )
    parser.add_argument(
        '--params', type=Path, metavar='FILE', help='ROS parameters of the nodes, over the shipped'
    )
    parser.add_argument(
        '--sim-time', action='store_true', help='with --team: take the time from /clock'
    )
    parser.add_argument('--record', type=Path, metavar='BAG', help='record to a new bag')
    parser.add_argument('--headless', action='store_true', help='no live table, only the summary')
    parser.add_argument(
        '--rerun',
        metavar='FILE.rrd|ADDRESS',
        help='show the flight in Rerun: a file, or a viewer at rerun+http://HOST:PORT/proxy',
    )
    parser.add_argument(
        '--output', type=Path, default=Path('demo_output'), help='folder for logs and results'
    )


def run(arguments: argparse.Namespace) -> int:
    """Fly or localize; one run at a time writes to a folder."""
    from mav_perception.segmentation.model_card import find_model, load_card

    # What is missing is said before anything starts; imports that are slow only where needed.
    if arguments.rerun:
        from mav_perception.evaluation.report.rerun_log import require_rerun

        require_rerun(arguments.rerun)
    arguments.model = arguments.model or ('drone' if arguments.team else 'sim')
    load_card(find_model(arguments.model))
    if arguments.params:
        from mav_perception.localization.parameter_file import load_parameters

        load_parameters(arguments.params)
    if arguments.sim_time and not arguments.team:
        raise ConfigurationError('--sim-time is for --team: a simulated flight has it anyway.')
    if arguments.record and arguments.record.exists():
        raise ConfigurationError(f'--record {arguments.record} exists: give another name.')
    with claimed(arguments.output):
        if arguments.team:
            from mav_perception.commands.demo_team import localize_team

            return localize_team(arguments)
        return fly(arguments)


def fly(arguments: argparse.Namespace) -> int:
    """Start the chain, wait for the monitor's verdict, and end the chain."""
    scenario = load_scenario(
        arguments.scenario,
        drones=arguments.drones,
        duration=arguments.duration,
        frame_rate=arguments.rate,
        odometry_rate=None if arguments.rate is None else max(25.0, arguments.rate),
        seed=arguments.seed,
    )
    chain = SimulatedTeam(
        arguments.scenario, scenario, arguments.output, arguments.model, params=arguments.params
    )
    forget_flight(arguments.output)
    domain, notice = free_domain(os.environ)
    environment = ros_environment() | {'ROS_DOMAIN_ID': str(domain)}
    if notice:
        print(notice, flush=True)
    print(
        f'starting {3 + len(chain.cameras)} nodes: {scenario.drones} drones, '
        f'{scenario.duration:.0f} s at {scenario.frame_rate} Hz, seed {scenario.seed}, '
        f'ROS_DOMAIN_ID {domain}; logs in {arguments.output / "logs"}',
        flush=True,
    )
    with NodeProcesses(environment, arguments.output / 'logs') as nodes:
        start_chain(nodes, chain, arguments)
        failure = wait_for_monitor(nodes, scenario.duration)
        verdict = nodes.exit_code('monitor')
        codes = nodes.stop()
    good = {'monitor': (0, 1)}  # 1 is its verdict on the flight
    killed = {name: code for name, code in codes.items() if code not in good.get(name, (0,))}
    if failure or killed:
        reason = failure or f'these nodes did not end cleanly: {killed}'
        print(f'demo failed: {reason}. See {arguments.output / "logs"}.', file=sys.stderr)
        return 1
    print('every node lived and ended cleanly')
    return int(verdict or 0)


def forget_flight(folder: Path) -> None:
    """Remove the results of an earlier flight: those of a failed one must not stand for them."""
    if (folder / 'run' / 'run.json').is_file():
        shutil.rmtree(folder / 'run')
    for name in RESULTS:
        (folder / name).unlink(missing_ok=True)


def start_chain(nodes: NodeProcesses, chain: SimulatedTeam, arguments: argparse.Namespace) -> None:
    """Start every node, the simulator last."""
    if arguments.record:
        start_recorder(nodes, arguments.record, images=True)
    chain.start_team(nodes)
    scenario = chain.scenario
    about = {
        'scenario': f'{chain.name}, {scenario.drones} drones at {scenario.frame_rate:g} Hz',
        'seed': str(scenario.seed),
    }
    # Reliable, as the simulator publishes: nothing gets lost.
    given = {'duration': scenario.duration, 'qos': 'reliable'}
    start_monitor(nodes, chain.team_file, arguments, about, given)
    chain.start_simulation(nodes)


def start_recorder(nodes: NodeProcesses, bag: Path, images: bool) -> None:
    """Start the recorder."""
    given = ros_arguments({'bag': bag, 'images': images})
    nodes.start('recorder', 'recorder_node', given)


def start_monitor(
    nodes: NodeProcesses,
    team_file: Path,
    arguments: argparse.Namespace,
    about: dict[str, str],
    parameters: dict[str, object],
    respawn: bool = False,
) -> None:
    """Start the monitor, whose output is that of the command."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    told = about | {'model': arguments.model, 'command': command}
    given = {
        'output': arguments.output,
        'live': not arguments.headless,
        'team_file': team_file,
        'rerun': arguments.rerun or '',
        'about': json.dumps(told),
    }
    monitor = ros_arguments(given | parameters, config='monitor')
    nodes.start('monitor', 'monitor_node', monitor, quiet=False, respawn=respawn)


def wait_for_monitor(nodes: NodeProcesses, duration: float) -> str:
    """Wait until the monitor ends; return what went wrong meanwhile, or an empty string."""
    deadline = time.monotonic() + SLOWEST * duration + 120.0
    while nodes.exit_code('monitor') is None:
        died = {n: c for n, c in nodes.dead().items() if n != 'monitor'}
        # The simulator may end a moment before the monitor has seen the last second.
        if died and died != {'simulation': 0}:
            return f'these nodes died: {died}'
        if time.monotonic() > deadline:
            return 'the flight did not come to its end in time'
        time.sleep(0.2)
    return ''
