"""Replay recorded data through the CPDAF and its baselines.

Examples:
  mav-perception replay mrclam ../shared/datasets/mrclam6 --clutter 0 --seconds 756
  mav-perception replay bag flight_bag --team team.yaml --params my_params.yaml
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mav_perception.commands.command_parser import at_least
from mav_perception.commands.dataset_runs import euroc_run, mrclam_run
from mav_perception.errors import ConfigurationError

if TYPE_CHECKING:
    from mav_perception.commands.dataset_runs import DatasetRun


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    formats = parser.add_subparsers(dest='format', required=True, metavar='FORMAT')
    mrclam = formats.add_parser(
        'mrclam', help='five ground robots of a UTIAS MR.CLAM set, identities stripped'
    )
    mrclam.add_argument('folder', type=Path, metavar='DIR')
    mrclam.add_argument(
        '--clutter',
        type=float,
        default=0.0,
        metavar='F',
        help='share of the landmark sightings fed in as false positives, 0 to 1 (default 0)',
    )
    euroc = formats.add_parser(
        'euroc', help='EuRoC flights as a team: real VIO, sightings simulated from the truth'
    )
    euroc.add_argument('folder', type=Path, metavar='DIR')
    euroc.add_argument(
        '--flights', default='MH_01,MH_03,MH_05', metavar='A,B,C', help='one a drone'
    )
    euroc.add_argument('--vio', choices=['mono', 'stereo'], default='stereo')
    euroc.add_argument('--noise', choices=['nominal', 'hard'], default='nominal')
    bag = formats.add_parser(
        'bag', help='a ROS 2 bag: localized anew with --team, without ROS; else into ROS 2'
    )
    bag.add_argument('folder', type=Path, metavar='BAG')
    bag.add_argument('--rate', type=float, default=1.0, help='seconds of the bag in a second')
    bag.add_argument('--begin', type=float, default=0.0, metavar='S', help='where to begin')
    bag.add_argument('--loop', action='store_true', help='begin again at the end')
    bag.add_argument(
        '--remap', nargs='+', default=[], metavar='FROM:=TO', help='play topics under other names'
    )
    bag.add_argument(
        '--inputs-only', action='store_true', help='leave out what localization makes itself'
    )
    bag.add_argument(
        '--team',
        type=Path,
        metavar='TEAM.yaml',
        help='localize it anew and write report.html; needs no ROS',
    )
    bag.add_argument(
        '--params', type=Path, metavar='FILE', help='of the joint filter, over the shipped ones'
    )
    bag.add_argument(
        '--output', type=Path, default=Path('replay_output'),
        help='folder for report.html and trajectories, with --team (default replay_output)',
    )  # fmt: skip
    bag.add_argument(
        '--seconds', type=float, metavar='S', help='with --team: use so many seconds of it'
    )
    bag.add_argument('--json', type=Path, metavar='FILE', help='with --team: write the figures')
    bag.add_argument('--rerun', metavar='FILE.rrd|ADDRESS', help='with --team: show it in Rerun')
    for parser_of_format in (mrclam, euroc):
        _add_common(parser_of_format)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--start',
        choices=['known', 'unknown'],
        default='known',
        help='what the filter is told of the start; the first drone is always the frame',
    )
    parser.add_argument('--seconds', type=float, metavar='S', help='use the first S seconds')
    parser.add_argument('--seed', type=at_least(0), default=0, help='draws the sightings')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures there')
    parser.add_argument('--rerun', metavar='FILE.rrd|ADDRESS', help='also show the run in Rerun')
    parser.add_argument(
        '--output', type=Path, default=Path('replay_output'),
        help='folder for report.html and the trajectories of cpdaf (default replay_output)',
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Replay, print the table and write the report."""
    if arguments.seconds is not None and not 0.0 < arguments.seconds < float('inf'):
        raise ConfigurationError(f'--seconds must be positive, not {arguments.seconds}.')
    if arguments.format == 'bag':
        from mav_perception.commands.replay_bag import replay_bag

        return replay_bag(arguments)
    from mav_perception.commands.replay_run import replay_run

    title = f'{arguments.format} {arguments.folder}, start {arguments.start}'
    return replay_run(_load(arguments), title, arguments)


def _load(arguments: argparse.Namespace) -> DatasetRun:
    """Return the run, the filter's parameters and the axes that count for the NEES."""
    folder, seconds, seed = arguments.folder, arguments.seconds, arguments.seed
    if arguments.format == 'mrclam':
        return mrclam_run(folder, arguments.clutter, seconds, seed)
    return euroc_run(folder, arguments.flights, arguments.vio, arguments.noise, seconds, seed)
