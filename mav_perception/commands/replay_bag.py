"""Play a bag into ROS, or localize it anew and write its report."""

from __future__ import annotations

import argparse
import re
import sys
import time

from mav_perception.errors import ConfigurationError
from mav_perception.localization.team.team_file import load_team
from mav_perception.processes.node_processes import (
    NodeProcesses,
    become_node,
    ros_arguments,
    ros_environment,
)

START_UP = 4.0
"""Seconds for the nodes to find one another before the bag begins."""

REPORT_LIMIT = 120.0
"""Seconds that writing the report may take."""


def play_bag(arguments: argparse.Namespace) -> int:
    """Play a bag; with a team file also start the joint filter and the monitor."""
    if arguments.params and not arguments.team:
        raise ConfigurationError('--params is for the joint filter: give --team too.')
    if arguments.team:
        return localize_bag(arguments)
    given = player_arguments(arguments, 'inputs_only:=' + str(arguments.inputs_only).lower())
    return become_node('player_node', given)


def localize_bag(arguments: argparse.Namespace) -> int:
    """Run the joint filter over the sightings and odometry of a bag; write the report."""
    load_team(arguments.team)  # a wrong one is said before anything starts
    if arguments.loop:
        raise ConfigurationError('--loop has no end, so no report: leave it or --team out.')
    team = f'team_file:={arguments.team}'
    with NodeProcesses(ros_environment(), arguments.output / 'logs') as nodes:
        filtering = ros_arguments('use_sim_time:=true', team, config='localization')
        if arguments.params:  # over those that are shipped
            filtering += ['--params-file', str(arguments.params)]
        nodes.start('localization', 'localization_node', filtering)
        watching = ros_arguments(
            team, f'output:={arguments.output}', 'live:=false', config='monitor'
        )
        nodes.start('monitor', 'monitor_node', watching, quiet=False)
        given = player_arguments(arguments, 'inputs_only:=true', f'wait:={START_UP}')
        nodes.start('player', 'player_node', given)
        while not nodes.dead():
            time.sleep(0.2)
        time.sleep(1.0)  # the last frames are on their way
        nodes.end('monitor', REPORT_LIMIT)
        codes = nodes.stop()
    failed = {name: code for name, code in codes.items() if code != 0}
    if failed:
        print(f'failed: {failed}. See {arguments.output / "logs"}.', file=sys.stderr)
    return int(bool(failed))


def player_arguments(arguments: argparse.Namespace, *more: str) -> list[str]:
    """Return the options of the player node."""
    remap = [word for rule in arguments.remap for word in ('-r', rule)]
    if wrong := [rule for rule in arguments.remap if not re.fullmatch('[^:]+:=[^:]+', rule)]:
        raise ConfigurationError(
            f'--remap {wrong[0]}: write FROM:=TO, as /vio/odom:=/mav1/odometry.'
        )
    return (
        ros_arguments(
            f'bag:={arguments.folder}',
            f'rate:={arguments.rate}',
            f'position:={arguments.begin}',
            f'loop:={arguments.loop}'.lower(),
            *more,
        )
        + remap
    )
