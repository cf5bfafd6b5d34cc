"""Fly a simulated team over real ROS 2 and localize it.

Every drone has a camera node; one localization node serves the team.
All are processes of their own, the same executables that the launch files start. Ends with exit
code 0 only if every node lived and the team's poses beat VIO alone.

Example: mav-perception demo --drones 4 --duration 60 --seed 1 --record flight_bag
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from mav_perception.processes.node_processes import NodeProcesses, ros_arguments, ros_environment
from mav_perception.processes.simulated_team import SimulatedTeam, add_flight_options
from mav_perception.simulation.flight.scenario_files import load_scenario

SLOWEST = 10.0
"""The demo gives up when it has taken this many times the flight's duration, plus a minute."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_flight_options(parser)
    parser.add_argument('--drones', type=int, help="size of the team (default: the scenario's)")
    parser.add_argument('--duration', type=float, help="seconds (default: the scenario's)")
    parser.add_argument(
        '--rate', type=float, help="camera frames a second (default: the scenario's)"
    )
    parser.add_argument('--model', default='sim', help='segmentation model (default sim)')
    parser.add_argument('--record', type=Path, metavar='BAG', help='record all topics to this bag')
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
    """Start the chain, wait for the monitor's verdict, and end the chain."""
    from mav_perception.evaluation.report.rerun_log import require_rerun
    from mav_perception.segmentation.model_card import find_model, load_card

    scenario = load_scenario(
        arguments.scenario,
        drones=arguments.drones,
        duration=arguments.duration,
        frame_rate=arguments.rate,
        odometry_rate=None if arguments.rate is None else max(25.0, arguments.rate),
        seed=arguments.seed,
    )
    require_rerun(arguments.rerun)
    shutil.rmtree(arguments.output / 'run', ignore_errors=True)  # of an earlier flight
    load_card(find_model(arguments.model))  # a missing model is said before anything starts
    chain = SimulatedTeam(arguments.scenario, scenario, arguments.output, arguments.model)
    environment = ros_environment()
    print(
        f'{scenario.drones} drones, {scenario.duration:.0f} s at {scenario.frame_rate} Hz, seed '
        f'{scenario.seed}, ROS_DOMAIN_ID {environment["ROS_DOMAIN_ID"]}; node logs in '
        f'{arguments.output / "logs"}',
        flush=True,
    )
    with NodeProcesses(environment, arguments.output / 'logs') as nodes:
        start_chain(nodes, chain, arguments)
        failure = wait_for_monitor(nodes, scenario.duration)
        verdict = nodes.exit_code('monitor')
        codes = nodes.stop()
    killed = {name: code for name, code in codes.items() if code != 0 and name != 'monitor'}
    if failure or killed:
        reason = failure or f'these nodes did not end cleanly: {killed}'
        print(f'demo failed: {reason}. See {arguments.output / "logs"}.', file=sys.stderr)
        return 1
    print('every node lived and ended cleanly')
    return int(verdict or 0)


def start_chain(nodes: NodeProcesses, chain: SimulatedTeam, arguments: argparse.Namespace) -> None:
    """Start every node, the simulator last."""
    if arguments.record:
        nodes.start(
            'recorder',
            'recorder_node',
            ros_arguments(f'bag:={arguments.record}', 'overwrite:=true', 'images:=true'),
        )
    chain.start_team(nodes)
    monitor = ros_arguments(
        f'duration:={chain.scenario.duration}',
        f'output:={chain.output}',
        f'live:={not arguments.headless}'.lower(),
        f'team_file:={chain.team_file}',
        f'rerun:={arguments.rerun or ""}',
        config='monitor',
    )
    nodes.start('monitor', 'monitor_node', monitor, quiet=False)
    chain.start_simulation(nodes)


def wait_for_monitor(nodes: NodeProcesses, duration: float) -> str:
    """Wait until the monitor ends; return what went wrong meanwhile, or an empty string."""
    deadline = time.monotonic() + SLOWEST * duration + 60.0
    while nodes.exit_code('monitor') is None:
        died = {n: c for n, c in nodes.dead().items() if n != 'monitor'}
        # The simulator may end a moment before the monitor has seen the last second.
        if died and died != {'simulation': 0}:
            return f'these nodes died: {died}'
        if time.monotonic() > deadline:
            return 'the flight did not come to its end in time'
        time.sleep(0.2)
    return ''
