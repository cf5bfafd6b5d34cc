"""Replay recorded data through the CPDAF and its rivals.

Example: mav-perception replay mrclam ../shared/datasets/mrclam6 --clutter 0 --seconds 756
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from mav_perception.errors import ConfigurationError


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
    mrclam.add_argument(
        '--start', choices=['known'], default='known', help='what is known of the start'
    )
    mrclam.add_argument('--seconds', type=float, metavar='S', help='use the first S seconds')
    mrclam.add_argument('--seed', type=int, default=0, help='draws the landmark sightings')
    mrclam.add_argument('--json', type=Path, metavar='FILE', help='write the figures there')


def run(arguments: argparse.Namespace) -> int:
    """Replay, print the table and write the JSON."""
    from mav_perception.evaluation.comparison import compare, table
    from mav_perception.io.mrclam import load_mrclam, mrclam_parameters

    if not 0.0 <= arguments.clutter <= 1.0:
        raise ConfigurationError(f'--clutter is a share from 0 to 1, not {arguments.clutter}.')
    if arguments.seconds is not None and arguments.seconds <= 0.0:
        raise ConfigurationError(f'--seconds must be positive, not {arguments.seconds}.')
    begin = time.perf_counter()
    recording = load_mrclam(arguments.folder, arguments.clutter, arguments.seconds, arguments.seed)
    scores = compare(
        recording, mrclam_parameters(arguments.clutter), (0, 1, 3), progress=sys.stderr.isatty()
    )
    wall = time.perf_counter() - begin
    length = (recording.end_ns - recording.begin_ns) * 1e-9
    print(table(scores))
    ratio = scores['cpdaf'].team_shape / scores['labelled'].team_shape
    print(
        f'cpdaf / identities known: {ratio:.3f}. {length:.0f} s of data in {wall:.1f} s for all '
        f'filters together: {length / wall:.0f} times real time.'
    )
    if arguments.json:
        figures = {name: round(result.team_shape, 4) for name, result in scores.items()}
        figures |= {
            'anees': round(scores['cpdaf'].anees, 3),
            'seconds': round(wall, 2),
            'update_ms_median': round(scores['cpdaf'].update_ms, 3),
        }
        arguments.json.write_text(json.dumps(figures, indent=2) + '\n')
    return 0
