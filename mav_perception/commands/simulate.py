"""Fly a scenario in the embedded simulator and publish it into ROS 2, for a chain of your own.

Example: mav-perception simulate --scenario cluttered --seed 2
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mav_perception.commands.flight_options import add_flight_options
from mav_perception.errors import ConfigurationError
from mav_perception.processes.node_processes import become_node, ros_arguments
from mav_perception.simulation.flight.scenario_files import load_scenario


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_flight_options(parser)
    parser.add_argument(
        '--write-team', type=Path, metavar='FILE', help='the team.yaml that localization needs'
    )
    parser.add_argument(
        '--wait', action='store_true', help='wait for the chain: slow down instead of dropping'
    )


def run(arguments: argparse.Namespace) -> int:
    """Become the simulation node."""
    from mav_perception.localization.team.team_file import load_team, save_team, team_text
    from mav_perception.simulation.flight.flight import scenario_team

    scenario = load_scenario(arguments.scenario, seed=arguments.seed)
    if path := arguments.write_team:
        team = scenario_team(scenario)
        # As text: the NaN of an unknown start equals nothing, itself neither.
        if path.exists() and team_text(load_team(path)) != team_text(team):
            raise ConfigurationError(f'{path} is another team: give another name.')
        save_team(team, path)
    given = {
        'scenario': arguments.scenario,
        'seed': scenario.seed,
        'lockstep': arguments.wait,
    }
    return become_node('simulation_node', ros_arguments(given))
