"""Fly a simulated team over real ROS 2 and localize it.

Every drone has a segmentation node and a detection node; one localization node serves the team.
All are processes of their own, the same executables that the launch files start. Ends with exit
code 0 only if every node lived and the team's poses beat VIO alone.

Example: mav-perception demo --drones 4 --duration 60 --seed 1 --record flight_bag
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from mav_perception.commands.processes import NodeProcesses, ros_environment
from mav_perception.localization.team_file import save_team
from mav_perception.resources import find_share
from mav_perception.segmentation.model_card import find_model, load_card
from mav_perception.simulation.flight import scenario_team
from mav_perception.simulation.library import load_scenario, scenario_names
from mav_perception.simulation.scenario import Scenario

SLOWEST = 10.0
"""The demo gives up when it has taken this many times the flight's duration, plus a minute."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        '--scenario', default='nominal',
        help=f'one of {", ".join(scenario_names())}, or the path of a scenario file',
    )  # fmt: skip
    parser.add_argument('--drones', type=int, help="size of the team (default: the scenario's)")
    parser.add_argument('--duration', type=float, help="seconds (default: the scenario's)")
    parser.add_argument('--seed', type=int, default=0, help='decides the whole flight (default 0)')
    parser.add_argument(
        '--rate', type=float, help="camera frames a second (default: the scenario's)"
    )
    parser.add_argument('--model', default='sim', help='segmentation model (default sim)')
    parser.add_argument('--record', type=Path, metavar='BAG', help='record all topics to this bag')
    parser.add_argument('--headless', action='store_true', help='no live table, only the summary')
    parser.add_argument(
        '--output', type=Path, default=Path('demo_output'), help='folder for logs and results'
    )


def run(arguments: argparse.Namespace) -> int:
    """Start the chain, wait for the monitor's verdict, and end the chain."""
    scenario = load_scenario(
        arguments.scenario,
        drones=arguments.drones,
        duration=arguments.duration,
        frame_rate=arguments.rate,
        odometry_rate=None if arguments.rate is None else max(25.0, arguments.rate),
        seed=arguments.seed,
    )
    load_card(find_model(arguments.model))  # a missing model is said before anything starts
    arguments.output.mkdir(parents=True, exist_ok=True)
    team_file = arguments.output / 'team.yaml'
    save_team(scenario_team(scenario), team_file)
    environment = ros_environment()
    print(
        f'{scenario.drones} drones, {scenario.duration:.0f} s at {scenario.frame_rate} Hz, seed '
        f'{scenario.seed}, ROS_DOMAIN_ID {environment["ROS_DOMAIN_ID"]}; node logs in '
        f'{arguments.output / "logs"}',
        flush=True,
    )
    with NodeProcesses(environment, arguments.output / 'logs') as nodes:
        start_chain(nodes, scenario, arguments, team_file)
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


def start_chain(
    nodes: NodeProcesses, scenario: Scenario, arguments: argparse.Namespace, team_file: Path
) -> None:
    """Start every node, the simulator last."""

    def ros_arguments(
        *parameters: str, namespace: str = '', files: tuple[Path, ...] = ()
    ) -> list[str]:
        remap = ['-r', f'__ns:=/{namespace}'] if namespace else []
        given = [item for file in files for item in ('--params-file', str(file))]
        for text in parameters:
            given += ['-p', text]
        return ['--ros-args', *remap, *given]

    config = {
        name: find_share('config', f'{name}.yaml')
        for name in ('segmentation', 'detection', 'localization', 'monitor', 'simulation')
    }
    if arguments.record:
        nodes.start('recorder', 'recorder_node', ros_arguments(f'bag:={arguments.record}'))
    nodes.start(
        'localization',
        'localization_node',
        ros_arguments(
            'use_sim_time:=true', f'team_file:={team_file}', files=(config['localization'],)
        ),
    )
    cameras = [
        f'{name}/{camera.name}'.strip('/')
        for name in scenario.names
        for camera in scenario.cameras
    ]
    for name in cameras:
        nodes.start(
            f'{name}_segmentation'.replace('/', '_'),
            'segmentation_node',
            ros_arguments(
                'use_sim_time:=true',
                f'model:={arguments.model}',
                'image_qos:=reliable',  # the simulator waits, so nothing may get lost
                namespace=name,
                files=(config['segmentation'],),
            ),
        )
        nodes.start(
            f'{name}_detection'.replace('/', '_'),
            'detection_node',
            ros_arguments('use_sim_time:=true', namespace=name, files=(config['detection'],)),
        )
    nodes.start(
        'monitor',
        'monitor_node',
        ros_arguments(
            f'duration:={scenario.duration}',
            f'output:={arguments.output}',
            f'live:={not arguments.headless}'.lower(),
            f'team_file:={team_file}',
            files=(config['monitor'],),
        ),
        quiet=False,
    )
    nodes.start(
        'simulation',
        'simulation_node',
        ros_arguments(
            f'scenario:={arguments.scenario}',
            f'drones:={scenario.drones}',
            f'duration:={scenario.duration}',
            f'frame_rate:={scenario.frame_rate}',
            f'odometry_rate:={scenario.odometry_rate}',
            f'seed:={scenario.seed}',
            files=(config['simulation'],),
        ),
    )


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
