"""`mav-perception benchmark robustness`: one recording under many small changes."""

from __future__ import annotations

import argparse
import itertools
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mav_perception.commands.command_parser import at_least
from mav_perception.commands.dataset_runs import bag_run, euroc_run, mrclam_run
from mav_perception.errors import ConfigurationError
from mav_perception.io.files import write_json

if TYPE_CHECKING:
    from mav_perception.evaluation.benchmark.robustness import Load, Task

CHANGES = ('dropped', 'detection', 'clutter', 'drift')
EVERY_CHANGE = ('recorded', 'backwards', *CHANGES)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('format', choices=['mrclam', 'euroc', 'bag'], help='of the recording')
    parser.add_argument('folder', type=Path, metavar='DIR')
    parser.add_argument(
        '--clutter', type=float, nargs='+', default=[0.0, 0.05, 0.3, 1.0], metavar='F',
        help='mrclam: shares of the landmark sightings fed in as false positives',
    )  # fmt: skip
    parser.add_argument(
        '--flights', default='MH_01,MH_03,MH_05', metavar='A,B,C', help='euroc: one a drone'
    )
    parser.add_argument(
        '--vio', nargs='+', choices=['mono', 'stereo'], default=['stereo'], help='euroc'
    )
    parser.add_argument(
        '--noise', nargs='+', choices=['nominal', 'hard'], default=['nominal'], help='euroc'
    )
    parser.add_argument('--team', type=Path, metavar='YAML', help='bag: team file')
    parser.add_argument('--params', type=Path, metavar='YAML', help='bag: of the joint filter')
    parser.add_argument(
        '--offsets', type=float, nargs='+', default=[0.0, 60.0, 120.0], metavar='S',
        help='seconds that are left out at the beginning (default 0 60 120)',
    )  # fmt: skip
    parser.add_argument(
        '--changes', nargs='+', default=list(CHANGES), choices=EVERY_CHANGE,
        help='30 %% of sightings dropped; told half the P_D, thrice the clutter, twice the drift; '
        'backwards: time runs back',
    )  # fmt: skip
    parser.add_argument(
        '--start', choices=['known', 'unknown'], default='known',
        help='unknown: of all but the first; identities known is told all the same',
    )  # fmt: skip
    parser.add_argument(
        '--team-size', type=at_least(2), metavar='N',
        help='mrclam: every team of N of the five robots, as if the others were not there',
    )  # fmt: skip
    parser.add_argument('--seeds', type=at_least(1), default=1, help='of what is drawn')
    parser.add_argument('--seconds', type=float, metavar='S', help='use the first S seconds')
    parser.add_argument(
        '--processes', type=at_least(1), default=os.cpu_count() or 1, help='on this machine'
    )
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures there')


def run(arguments: argparse.Namespace) -> int:
    """Play all changed recordings, print the table and write the JSON."""
    from mav_perception.evaluation.benchmark.robustness import run_tasks, summarise, table

    outcomes = run_tasks(tasks(arguments), arguments.processes)
    figures = summarise(outcomes)
    print(table(outcomes))
    print(
        f'{figures["runs"]} runs; ratio to identities known: '
        f'median {figures["ratio_median"]:.2f}, 95 % {figures["ratio_p95"]:.2f}, '
        f'worst {figures["ratio_worst"]:.2f}; {figures["lost"]} lost, '
        f'{figures["never_localized"]} of them never localized; '
        f'{100 * figures["published_wrong_share"]:.2f} % of the poses published wrong.'
    )
    if arguments.json:
        write_json(arguments.json, figures)
    return 0


def tasks(arguments: argparse.Namespace) -> list[Task]:
    """Return every run that the options ask for.

    Raises:
        ConfigurationError: an option has a value that makes no run.
    """
    from mav_perception.evaluation.benchmark.robustness import Task

    if min(arguments.offsets) < 0.0:
        raise ConfigurationError(f'--offsets must not be negative: {arguments.offsets}.')
    if not all(0.0 <= share <= 1.0 for share in arguments.clutter):
        raise ConfigurationError(f'--clutter is a share from 0 to 1: {arguments.clutter}.')
    if (arguments.format == 'bag') != bool(arguments.team):
        raise ConfigurationError('A bag needs --team, and nothing else does.')
    unknown = arguments.start == 'unknown'
    result = [
        Task(
            name=name + of_team,
            load=load,
            offset=offset,
            change=change,
            seed=seed,
            unknown_start=unknown,
            drones=team,
        )
        for offset, change, seed in itertools.product(
            arguments.offsets, arguments.changes, range(arguments.seeds)
        )
        for name, load in _sources(arguments, seed)
        for of_team, team in _teams(arguments)
    ]
    names = list(dict.fromkeys(task.name for task in result))
    return sorted(result, key=lambda task: names.index(task.name))


def _teams(arguments: argparse.Namespace) -> list[tuple[str, tuple[int, ...]]]:
    """Return what is added to the name, and the drones, of every team; none for the whole one."""
    if arguments.team_size is None:
        return [('', ())]
    from mav_perception.datasets.mrclam import ROBOTS

    if arguments.format != 'mrclam' or arguments.team_size > ROBOTS:
        raise ConfigurationError(f'--team-size is for mrclam, and {ROBOTS} at most.')
    teams = itertools.combinations(range(ROBOTS), arguments.team_size)
    return [(f' {"".join(str(robot + 1) for robot in team)}', team) for team in teams]


def _sources(arguments: argparse.Namespace, seed: int) -> list[tuple[str, Load]]:
    """Return name and loader of every recording that the options ask for."""
    folder, length = arguments.folder, arguments.seconds
    if arguments.format == 'mrclam':
        return [
            (f'landmarks {100 * share:.0f} %', partial(mrclam_run, folder, share, length, seed))
            for share in arguments.clutter
        ]
    if arguments.format == 'bag':
        return [(folder.name, partial(bag_run, folder, arguments.team, arguments.params, length))]
    return [
        (f'{vio} {noise}', partial(euroc_run, folder, arguments.flights, vio, noise, length, seed))
        for vio, noise in itertools.product(arguments.vio, arguments.noise)
    ]
