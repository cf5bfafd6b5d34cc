"""Localize a bag anew and write its report, without ROS; or play it into ROS 2."""

from __future__ import annotations

import argparse
import re
import sys

from mav_perception.errors import ConfigurationError

INTO_ROS = ('loop', 'inputs_only')
WITH_TEAM = ('params', 'seconds', 'json', 'rerun')


def replay_bag(arguments: argparse.Namespace) -> int:
    """Localize a bag with a team file; play one without."""
    remap = remap_rules(arguments.remap)
    if arguments.team is None:
        for name in WITH_TEAM:
            if getattr(arguments, name) is not None:
                raise ConfigurationError(f'--{name} is for the joint filter: give --team too.')
        return play_bag(arguments)
    for name in INTO_ROS:
        if getattr(arguments, name):
            raise ConfigurationError(
                f'--{name.replace("_", "-")} is for playing into ROS 2: leave it or --team out.'
            )
    if arguments.rate != 1.0:
        raise ConfigurationError(
            '--rate is for playing into ROS 2: with --team a bag is localized as fast as it goes.'
        )
    from mav_perception.commands.dataset_runs import bag_run
    from mav_perception.commands.replay_run import replay_run

    print(f'reading {arguments.folder} ...', file=sys.stderr, flush=True)
    run = bag_run(
        arguments.folder,
        arguments.team,
        arguments.params,
        arguments.seconds,
        begin=arguments.begin,
        remap=remap,
    )
    return replay_run(run, f'bag {arguments.folder}', arguments)


def play_bag(arguments: argparse.Namespace) -> int:
    """Turn this process into the player node."""
    from mav_perception.processes.node_processes import become_node, ros_arguments

    given = ros_arguments(
        {
            'bag': arguments.folder,
            'rate': arguments.rate,
            'position': arguments.begin,
            'loop': arguments.loop,
            'inputs_only': arguments.inputs_only,
        }
    )
    rules = [word for rule in arguments.remap for word in ('-r', rule)]
    return become_node('player_node', given + rules)


def remap_rules(rules: list[str]) -> dict[str, str]:
    """Return old -> new topics, or raise ConfigurationError."""
    if wrong := [rule for rule in rules if not re.fullmatch('[^:]+:=[^:]+', rule)]:
        raise ConfigurationError(
            f'--remap {wrong[0]}: write FROM:=TO, as /vio/odom:=/mav1/odometry.'
        )
    return dict(rule.split(':=') for rule in rules)
