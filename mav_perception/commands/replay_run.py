"""Play a recording through the filter and its baselines: table, figures, report."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mav_perception.evaluation.report.words import two_digits
from mav_perception.io.files import write_json
from mav_perception.types import seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from mav_perception.commands.dataset_runs import DatasetRun
    from mav_perception.evaluation.association_log import AssociationLog
    from mav_perception.evaluation.benchmark.comparison import Score
    from mav_perception.evaluation.playback import Estimate
    from mav_perception.evaluation.report.run_record import RunRecord
    from mav_perception.localization.parameters import FilterParameters
    from mav_perception.recordings.recording import Recording


def replay_run(run: DatasetRun, title: str, arguments: argparse.Namespace) -> int:
    """Play a run, print the table, and write the JSON and the report.

    Args:
        run: recording, parameters and axes.
        title: of the report.
        arguments: `output`, `json` and `rerun`; `start` and `seed` where they mean something.
    """
    from mav_perception.evaluation.report.rerun_log import require_rerun

    require_rerun(arguments.rerun)
    recording, parameters, axes = run
    played = told = recording
    unknown = getattr(arguments, 'start', 'known') == 'unknown'
    if unknown:
        played = replace(recording, team=recording.team.with_unknown_start())
    elif bool(np.isnan(recording.team.start_sigma).any()):  # as a team file says
        unknown = True
        told = recording.with_true_start() if recording.has_truth else recording
    begin = time.perf_counter()
    kept: dict[str, tuple[Estimate, AssociationLog]] = {}

    def keep(name: str, estimate: Estimate, associations: AssociationLog) -> None:
        if name == 'cpdaf':
            kept[name] = (estimate, associations)

    scores = _scores(played, told if unknown else None, parameters, axes, keep)
    wall = time.perf_counter() - begin
    estimate, associations = kept['cpdaf']
    figures = _figures(scores, unknown, wall)
    whole = figures | _more_figures(scores['cpdaf'], recording, estimate)
    record = _record(title, played, estimate, associations, run, whole, scores, arguments)
    length = seconds(recording.end_ns - recording.begin_ns)
    print(_text(scores, unknown, length, wall) if recording.has_truth else _places(record))
    _print_refused(recording, estimate)
    if arguments.json:
        # Those of data sets have the keys that they had in 0.1.0.
        kept_figures = whole if arguments.format == 'bag' else figures
        write_json(arguments.json, kept_figures)
    if not record.drones:
        print('No drone was localized: there is nothing to report.', file=sys.stderr)
        return 1
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
    if not recording.has_truth:
        return compare(recording, parameters, axes, progress, ('cpdaf',), keep)
    if told is None:
        return compare(recording, parameters, axes, progress, tuple(BASELINES), keep)
    scores = compare(recording, parameters, axes, progress, STARTED_BY_SEARCH, keep)
    reference = compare(told, parameters, axes, progress, ('labelled',))
    return {**scores, 'labelled': reference['labelled']}


def _record(
    title: str,
    played: Recording,
    estimate: Estimate,
    associations: AssociationLog,
    run: DatasetRun,
    figures: dict[str, Any],
    scores: dict[str, Score],
    arguments: argparse.Namespace,
) -> RunRecord:
    """Return what is kept of the CPDAF's run."""
    from mav_perception.evaluation.report.playback_record import record_playback

    _, parameters, axes = run
    record = record_playback(title, played, estimate, associations, parameters, axes)
    told = {'recording': str(arguments.folder)}
    if hasattr(arguments, 'seed'):
        told['seed'] = str(arguments.seed)
    known = played.has_truth
    return replace(
        record,
        figures=figures,
        baselines={name: one.figures() for name, one in scores.items()} if known else {},
        score=scores['cpdaf'].errors.known() if known else None,
        about=told | record.about,
    )


def _more_figures(cpdaf: Score, recording: Recording, estimate: Estimate) -> dict[str, Any]:
    """Return the errors of the CPDAF, and what became of the frames."""
    errors = {} if math.isnan(cpdaf.team_shape) else cpdaf.errors.figures()
    return errors | {
        'frames': len(recording.frames),
        'frames_used': len(estimate.stamps),
        'refused': len(estimate.refused),
    }


def _print_refused(recording: Recording, estimate: Estimate) -> None:
    """Say what became of frames and odometry that were not used, and who has no pose."""
    for text in recording.notices:
        print(f'left out: {text}', file=sys.stderr)
    print(f'frames used: {len(estimate.stamps)} of {len(recording.frames)}')
    for text, number in Counter(estimate.refused).most_common(3):
        print(f'refused, {number} times: {text}', file=sys.stderr)
    for text in estimate.without_pose:
        print(f'no pose at the end, {text}', file=sys.stderr)


def _places(record: RunRecord) -> str:
    """Return where every drone ended, for a run whose truth nobody knows."""
    lines = [f'{"drone":10} {"poses":>6} {"first":>9} {"last":>9}   at the end']
    begin = min((int(d.estimate.stamps[0]) for d in record.drones), default=0)
    for drone in record.drones:
        first, last = (seconds(int(drone.estimate.stamps[k]) - begin) for k in (0, -1))
        x, y, z, _ = drone.estimate.poses[-1]
        lines.append(
            f'{drone.name:10} {len(drone.estimate.stamps):6} {first:7.1f} s {last:7.1f} s   '
            f'{two_digits(x)}, {two_digits(y)}, {two_digits(z)} m'
        )
    return '\n'.join([*lines, 'Nobody knows the true paths: there are no errors.'])


def _write(record: RunRecord, arguments: argparse.Namespace) -> None:
    """Write the folder of the run, its report and, if it was asked for, the Rerun log."""
    from mav_perception.evaluation.report.report import write_report
    from mav_perception.evaluation.report.run_record import save_run

    save_run(record, arguments.output)
    write_report(record, arguments.output / 'report.html', folder=arguments.output)
    print(f'written: {arguments.output / "report.html"}')
    if arguments.rerun:
        from mav_perception.evaluation.report.rerun_log import write_rerun

        write_rerun(record, arguments.rerun)


def _text(scores: dict[str, Score], unknown: bool, length: float, wall: float) -> str:
    from mav_perception.evaluation.benchmark.comparison import table

    cpdaf = scores['cpdaf']
    speed = (
        f'{length:.0f} s of data in {wall:.1f} s for all filters together: {length / wall:.0f} '
        'times real time.'
    )
    ratio = cpdaf.team_shape / scores['labelled'].team_shape
    if not unknown:
        return f'{table(scores)}\ncpdaf / identities known: {ratio:.3f}. {speed}'
    start = 'never' if math.isnan(cpdaf.start_seconds) else f'{cpdaf.start_seconds:.0f} s'
    return (
        f'{table(scores)}\nAll drones localized: {start}; {cpdaf.wrong_initializations} of '
        f'{cpdaf.initializations} initialized wrong; '
        f'poses published for {100 * cpdaf.coverage:.0f} % of the time. '
        f'cpdaf / start and identities known: {ratio:.3f}. {speed}'
    )


def _figures(scores: dict[str, Score], unknown: bool, wall: float) -> dict[str, Any]:
    """Return what goes into the JSON; NaN stands for what did not happen."""
    cpdaf = scores['cpdaf']
    figures: dict[str, Any] = {name: round(s.team_shape, 4) for name, s in scores.items()}
    figures |= {
        'anees': round(cpdaf.anees, 3),
        'seconds': round(wall, 2),
        'update_ms_median': round(cpdaf.update_ms, 3),
    }
    if unknown:
        figures |= {
            'start_seconds': round(cpdaf.start_seconds, 2),
            'coverage': round(cpdaf.coverage, 4),
            'commits': cpdaf.initializations,
            'wrong_commits': cpdaf.wrong_initializations,
        }
    return figures
