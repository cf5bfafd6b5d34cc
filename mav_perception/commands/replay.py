"""Replay recorded data through the CPDAF and its baselines.

Examples:
  mav-perception replay mrclam ../shared/datasets/mrclam6 --clutter 0 --seconds 756
  mav-perception replay bag flight_bag --team team.yaml --params my_params.yaml
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mav_perception.commands.dataset_runs import euroc_run, mrclam_run
from mav_perception.errors import ConfigurationError
from mav_perception.io.files import write_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from mav_perception.commands.dataset_runs import DatasetRun
    from mav_perception.evaluation.association_log import AssociationLog
    from mav_perception.evaluation.benchmark.comparison import Score
    from mav_perception.evaluation.playback import Estimate
    from mav_perception.evaluation.report.run_record import RunRecord
    from mav_perception.localization.parameters import FilterParameters
    from mav_perception.recordings.recording import Recording


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
    bag = formats.add_parser('bag', help='a ROS 2 bag into ROS 2, with /clock')
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
        '--team', type=Path, metavar='TEAM.yaml', help='localize it anew and write report.html'
    )
    bag.add_argument(
        '--params', type=Path, metavar='FILE', help='of the joint filter, over the shipped ones'
    )
    bag.add_argument(
        '--output', type=Path, default=Path('replay_output'),
        help='folder for report.html and trajectories, with --team (default replay_output)',
    )  # fmt: skip
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
    parser.add_argument('--seed', type=int, default=0, help='draws the sightings')
    parser.add_argument('--json', type=Path, metavar='FILE', help='write the figures there')
    parser.add_argument('--rerun', metavar='FILE.rrd|ADDRESS', help='also show the run in Rerun')
    parser.add_argument(
        '--output', type=Path, default=Path('replay_output'),
        help='folder for report.html and the trajectories of cpdaf (default replay_output)',
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Replay, print the table and write the JSON."""
    if arguments.format == 'bag':
        from mav_perception.commands.replay_bag import play_bag

        return play_bag(arguments)
    from mav_perception.evaluation.benchmark.comparison import table
    from mav_perception.evaluation.report.playback_record import record_playback
    from mav_perception.evaluation.report.rerun_log import require_rerun

    require_rerun(arguments.rerun)
    if arguments.seconds is not None and arguments.seconds <= 0.0:
        raise ConfigurationError(f'--seconds must be positive, not {arguments.seconds}.')
    recording, parameters, axes = _load(arguments)
    unknown = arguments.start == 'unknown'
    begin = time.perf_counter()
    kept: dict[str, tuple[Estimate, AssociationLog]] = {}

    def keep(name: str, estimate: Estimate, associations: AssociationLog) -> None:
        if name == 'cpdaf':
            kept[name] = (estimate, associations)

    played = recording
    if unknown:
        played = replace(recording, team=recording.team.with_unknown_start())
    scores = _scores(played, recording if unknown else None, parameters, axes, keep)
    wall = time.perf_counter() - begin
    print(table(scores))
    print(_summary(scores, unknown, (recording.end_ns - recording.begin_ns) * 1e-9, wall))
    figures = _figures(scores, unknown, wall)
    if arguments.json:
        write_text(arguments.json, json.dumps(figures, indent=2) + '\n')
    title = f'{arguments.format} {arguments.folder}, start {arguments.start}'
    baselines = {name: asdict(one) for name, one in scores.items()}
    record = record_playback(title, played, *kept['cpdaf'], figures, baselines, axes)
    if record.drones:
        _write(record, arguments)
    return 0


def _scores(
    recording: Recording,
    told: Recording | None,
    parameters: FilterParameters,
    axes: tuple[int, ...],
    keep: Callable[[str, Estimate, AssociationLog], None],
) -> dict[str, Score]:
    """Play all filters that can start.

    Args:
        recording: what is played.
        told: the same with the start, for the reference, if the start is unknown; else None.
        parameters: of all filters.
        axes: which of x, y, z, yaw count for the NEES.
        keep: is given every estimate.
    """
    from mav_perception.evaluation.benchmark.baselines import BASELINES, STARTED_BY_SEARCH
    from mav_perception.evaluation.benchmark.comparison import compare

    progress = sys.stderr.isatty()
    if told is None:
        return compare(recording, parameters, axes, progress, tuple(BASELINES), keep)
    scores = compare(recording, parameters, axes, progress, STARTED_BY_SEARCH, keep)
    reference = compare(told, parameters, axes, progress, ('labelled',))
    return {**scores, 'labelled': reference['labelled']}


def _write(record: RunRecord, arguments: argparse.Namespace) -> None:
    """Write the folder of the run, its report and, if it was asked for, the Rerun log."""
    from mav_perception.evaluation.report.report import write_report
    from mav_perception.evaluation.report.run_record import save_run

    save_run(record, arguments.output)
    write_report(record, arguments.output / 'report.html')
    print(f'written: {arguments.output / "report.html"}')
    if arguments.rerun:
        from mav_perception.evaluation.report.rerun_log import write_rerun

        write_rerun(record, arguments.rerun)


def _load(arguments: argparse.Namespace) -> DatasetRun:
    """Return the run, the filter's parameters and the axes that count for the NEES."""
    folder, seconds, seed = arguments.folder, arguments.seconds, arguments.seed
    if arguments.format == 'mrclam':
        return mrclam_run(folder, arguments.clutter, seconds, seed)
    return euroc_run(folder, arguments.flights, arguments.vio, arguments.noise, seconds, seed)


def _summary(scores: dict[str, Score], unknown: bool, length: float, wall: float) -> str:
    cpdaf = scores['cpdaf']
    speed = (
        f'{length:.0f} s of data in {wall:.1f} s for all filters together: {length / wall:.0f} '
        'times real time.'
    )
    ratio = cpdaf.team_shape / scores['labelled'].team_shape
    if not unknown:
        return f'cpdaf / identities known: {ratio:.3f}. {speed}'
    start = 'never' if math.isnan(cpdaf.start_seconds) else f'{cpdaf.start_seconds:.0f} s'
    return (
        f'All drones localized: {start}; {cpdaf.wrong_initializations} of {cpdaf.initializations} '
        'initialized wrong; '
        f'poses published for {100 * cpdaf.coverage:.0f} % of the time. '
        f'cpdaf / start and identities known: {ratio:.3f}. {speed}'
    )


def _figures(scores: dict[str, Score], unknown: bool, wall: float) -> dict[str, Any]:
    """Return what goes into the JSON; null stands for what did not happen."""
    cpdaf = scores['cpdaf']
    figures: dict[str, Any] = {name: _rounded(s.team_shape, 4) for name, s in scores.items()}
    figures |= {
        'anees': _rounded(cpdaf.anees, 3),
        'seconds': round(wall, 2),
        'update_ms_median': round(cpdaf.update_ms, 3),
    }
    if unknown:
        figures |= {
            'start_seconds': _rounded(cpdaf.start_seconds, 2),
            'coverage': round(cpdaf.coverage, 4),
            'commits': cpdaf.initializations,
            'wrong_commits': cpdaf.wrong_initializations,
        }
    return figures


def _rounded(value: float, digits: int) -> float | None:
    return None if math.isnan(value) else round(value, digits)
