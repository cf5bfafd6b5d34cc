"""A run on one page: a self-contained HTML file that needs no network."""

from __future__ import annotations

import html
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.ate_rpe import trajectory_error
from mav_perception.evaluation.metrics.team_errors import drone_nees
from mav_perception.evaluation.report.html_parts import (
    html_table,
    inlined,
    picture,
    words_table,
    write_html,
)
from mav_perception.evaluation.report.interactive import interactive_html
from mav_perception.evaluation.report.run_events import RunEvent, run_events
from mav_perception.evaluation.report.run_plots import PLOTS, seconds_of
from mav_perception.evaluation.report.run_record import KINDS, DroneRecord, RunRecord
from mav_perception.evaluation.report.words import text_of, two_digits, words_of
from mav_perception.evaluation.sensor_model.sensor_curves import sensor_curves
from mav_perception.io.tum import Trajectory

WITHOUT_BOKEH = (
    '<p class="note">Plots to zoom need Bokeh where the report is written: pip install bokeh.</p>'
)


def write_report(
    record: RunRecord, path: Path, sensor_model: Path | None = None, folder: Path | None = None
) -> None:
    """Write the page of a run.

    Args:
        record: the run.
        path: of the HTML file.
        sensor_model: file of `fit-sensor-model` whose curves are shown too.
        folder: of the run, for links to its files; None for a run that is not kept.
    """
    parts = [f'<h1>{html.escape(record.title)}</h1>', words_table(record.about)]
    columns, *rows = drone_rows(record)
    parts += ['<h2>Drones</h2>', html_table(columns, rows)]
    if not record.has_truth:
        parts.append('<p class="note">Nobody knows the true paths: there are no errors.</p>')
    if record.figures:
        parts += ['<h2>Summary</h2>', figure_table(record.figures)]
    if record.baselines:
        parts += ['<h2>Against baselines on the same data</h2>', baseline_table(record.baselines)]
    events = run_events(record)
    parts += _events(record, events)
    if record.pictures:
        parts += ['<h2>Cameras</h2>', _strip(record)]
    head, plots = _interactive(record, events)
    parts += ['<h2>Over time</h2>', plots]
    for title, (text, draw, possible) in PLOTS.items():
        if possible(record):
            parts += [f'<h2>{title}</h2>', f'<p class="note">{html.escape(text)}</p>']
            parts.append(picture(draw(record), title))
    if sensor_model is not None:
        parts += ['<h2>Sensor model</h2>', picture(sensor_curves(sensor_model), 'sensor model')]
    if folder is not None:
        parts += ['<h2>Files</h2>', _links(record, folder, path)]
    write_html(record.title, parts, path, head)


def write_page(title: str, tables: list[tuple[list[str], list[list[str]]]], path: Path) -> None:
    """Write a page of tables, each a head and its rows."""
    shown = [html_table(head, rows) for head, rows in tables]
    write_html(title, [f'<h1>{html.escape(title)}</h1>', *shown], path)


def drone_rows(record: RunRecord) -> list[list[str]]:
    """Return a head, and RMSE in map, ATE, RPE and consistency of every drone."""
    head = ['drone', 'RMSE in map [m]', 'VIO alone [m]', 'ATE [m]', 'RPE [m]', 'NEES / dof']
    rows = [[*head, 'poses']]
    for index, drone in enumerate(record.drones):
        cells = ['-'] * 5
        if len(drone.truth.stamps):
            cells = [*_rmse_cells(record, index), *error_cells(drone, record.axes)]
        rows.append([drone.name, *cells, str(len(drone.estimate.stamps))])
    return rows


def _rmse_cells(record: RunRecord, index: int) -> list[str]:
    """Return the RMSE of filter and VIO alone as the summary has it."""
    score = record.score
    if score is None or len(score.drone_position) != len(record.drones):
        return ['-', '-']
    pair = score.drone_position[index], score.drone_vio_position[index]
    return [two_digits(value) for value in pair]


def error_cells(drone: DroneRecord, axes: tuple[int, ...]) -> list[str]:
    """Return ATE, RPE and NEES per degree of freedom of a drone."""
    truth = drone.truth.known_at(drone.estimate.stamps)
    known = np.isfinite(truth).all(axis=1)
    stamps = drone.estimate.stamps[known]
    try:
        aligned = trajectory_error(
            Trajectory.level(stamps, truth[known]),
            Trajectory.level(stamps, drone.estimate.poses[known]),
        )
        shape = [two_digits(aligned.ate), two_digits(aligned.rpe)]
    except DataError:  # too few poses
        shape = ['-', '-']
    nees = float(np.nanmean(drone_nees(drone.errors(), drone.covariance, axes)))
    return [*shape, two_digits(nees)]


def figure_table(figures: dict[str, Any]) -> str:
    """Return the figures of summary.json in words."""
    return html_table(['figure', 'value'], [[words_of(k), text_of(v)] for k, v in figures.items()])


def baseline_table(baselines: dict[str, dict[str, Any]]) -> str:
    """Return the figures of every filter in a row."""
    names = list(dict.fromkeys(key for row in baselines.values() for key in row))
    rows = [
        [name.replace('_', ' '), *(text_of(row.get(key)) for key in names)]
        for name, row in baselines.items()
    ]
    return html_table(['filter', *map(words_of, names)], rows)


def _events(record: RunRecord, events: tuple[RunEvent, ...]) -> list[str]:
    """Return the table of events, but for those of the first second."""
    rows = [
        [f'{at:.1f}', event.kind, event.text]
        for event in events
        if (at := float(seconds_of(record, event.stamp_ns))) > 1.0 or event.kind != 'found'
    ]
    return ['<h2>Events</h2>', html_table(['time [s]', 'event', ''], rows)] if rows else []


def _strip(record: RunRecord) -> str:
    """Return the camera images side by side."""
    figures = ''.join(
        f'<figure>{inlined(one.jpeg, "jpeg", one.caption)}'
        f'<figcaption>{html.escape(one.caption)}</figcaption></figure>'
        for one in record.pictures
    )
    return f'<div class="strip">{figures}</div>'


def _interactive(record: RunRecord, events: tuple[RunEvent, ...]) -> tuple[str, str]:
    try:
        return interactive_html(record, events)
    except ModuleNotFoundError:
        return '', WITHOUT_BOKEH


def _links(record: RunRecord, folder: Path, page: Path) -> str:
    """Return links to the trajectories and figures, relative to the page."""
    files = [folder / 'run.json']
    files += [folder / f'{drone.name}.{kind}.tum' for drone in record.drones for kind in KINDS]
    files += [*sorted(folder.glob('*.csv')), folder.parent / 'summary.json']
    return ', '.join(
        f'<a href="{quote(os.path.relpath(file, page.parent))}">{html.escape(file.name)}</a>'
        for file in files
        if file.is_file()
    )


def write_comparison(records: Sequence[tuple[str, RunRecord]], path: Path) -> None:
    """Write a page with runs side by side.

    Args:
        records: name and run.
        path: of the HTML file.
    """
    head, rows = comparison_table(records)
    parts = ['<h1>Runs side by side</h1>', html_table(head, rows)]
    for title, (text, draw, possible) in PLOTS.items():
        shown = [(name, record) for name, record in records if possible(record)]
        if shown:
            parts += [f'<h2>{title}</h2>', f'<p class="note">{html.escape(text)}</p>']
            parts.append('<div class="strip">')
            for name, record in shown:
                caption = f'<figcaption>{html.escape(name)}</figcaption>'
                parts.append(f'<figure>{picture(draw(record), title)}{caption}</figure>')
            parts.append('</div>')
    write_html('Runs side by side', parts, path)


def comparison_table(
    records: Sequence[tuple[str, RunRecord]],
) -> tuple[list[str], list[list[str]]]:
    """Return a head with the runs, and a row for every fact and figure that any of them has."""
    about = list(dict.fromkeys(key for _, record in records for key in record.about))
    keys = list(dict.fromkeys(key for _, record in records for key in record.figures))
    rows = [[key, *(record.about.get(key, '-') for _, record in records)] for key in about]
    rows += [
        [words_of(key), *(text_of(record.figures.get(key)) for _, record in records)]
        for key in keys
    ]
    return ['', *(name for name, _ in records)], rows
