"""A run on one page: a self-contained HTML file that needs no network."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot

from mav_perception import __version__
from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.ate_rpe import trajectory_error
from mav_perception.evaluation.metrics.team_errors import drone_nees, position_rmse
from mav_perception.evaluation.report.run_plots import PLOTS
from mav_perception.evaluation.report.run_record import DroneRecord, RunRecord
from mav_perception.evaluation.sensor_model.sensor_curves import sensor_curves
from mav_perception.io.files import write_text
from mav_perception.io.tum import Trajectory

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em;
       color: #222; background: #fff; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; } th, td { padding: .25em .9em .25em 0; text-align: right;
       border-bottom: 1px solid #ddd; } th:first-child, td:first-child { text-align: left; }
div.wide { overflow-x: auto; } img { max-width: 100%; } p.note { color: #666; }
"""


def write_report(record: RunRecord, path: Path, sensor_model: Path | None = None) -> None:
    """Write the page of a run.

    Args:
        record: the run.
        path: of the HTML file.
        sensor_model: file of `fit-sensor-model` whose curves are shown too.
    """
    parts = [f'<h1>{html.escape(record.title)}</h1>', '<h2>Drones</h2>']
    head, *rows = drone_rows(record)
    parts.append(html_table(head, rows))
    if not record.has_truth:
        parts.append('<p class="note">Nobody knows the true paths: there are no errors.</p>')
    if record.figures:
        parts += ['<h2>Summary</h2>', figure_table(record.figures)]
    if record.baselines:
        parts += ['<h2>Against baselines on the same data</h2>', baseline_table(record.baselines)]
    for title, (text, draw, possible) in PLOTS.items():
        if possible(record):
            parts += [f'<h2>{title}</h2>', f'<p class="note">{html.escape(text)}</p>']
            parts.append(picture(draw(record)))
    if sensor_model is not None:
        parts += ['<h2>Sensor model</h2>', picture(sensor_curves(sensor_model))]
    _write(record.title, parts, path)


def write_page(title: str, tables: list[tuple[list[str], list[list[str]]]], path: Path) -> None:
    """Write a page of tables, each a head and its rows."""
    shown = [html_table(head, rows) for head, rows in tables]
    _write(title, [f'<h1>{html.escape(title)}</h1>', *shown], path)


def _write(title: str, parts: list[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(
        path,
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<title>{html.escape(title)}</title><style>{STYLE}</style></head><body>\n'
        + '\n'.join(parts)
        + f'\n<p class="note">mav_perception {__version__}</p>\n</body></html>\n',
    )


def drone_rows(record: RunRecord) -> list[list[str]]:
    """Return a head, and RMSE in map, ATE, RPE and consistency of every drone."""
    head = [
        'drone',
        'RMSE in map [m]',
        'VIO alone [m]',
        'ATE [m]',
        'RPE [m]',
        'NEES / axis',
        'poses',
    ]
    rows = [head]
    for drone in record.drones:
        cells = error_cells(drone, record.axes) if len(drone.truth.stamps) else ['-'] * 5
        rows.append([drone.name, *cells, str(len(drone.estimate.stamps))])
    return rows


def error_cells(drone: DroneRecord, axes: tuple[int, ...]) -> list[str]:
    """Return RMSE in map of the filter and of VIO alone, ATE, RPE and NEES of an axis."""
    truth = drone.truth.at(drone.estimate.stamps)
    vio = drone.vio.at(drone.estimate.stamps)
    try:
        aligned = trajectory_error(
            Trajectory.level(drone.estimate.stamps, truth),
            Trajectory.level(drone.estimate.stamps, drone.estimate.poses),
        )
        shape = [f'{aligned.ate:.3f}', f'{aligned.rpe:.3f}']
    except DataError:  # too few poses
        shape = ['-', '-']
    nees = np.nanmean(drone_nees(drone.errors(), drone.covariance, axes)) / len(axes)
    in_map = (f'{position_rmse(poses, truth):.3f}' for poses in (drone.estimate.poses, vio))
    return [*in_map, *shape, f'{nees:.2f}']


def figure_table(figures: dict[str, Any]) -> str:
    """Return the figures of summary.json."""
    return html_table(['figure', 'value'], [[k, _text(v)] for k, v in figures.items()])


def baseline_table(baselines: dict[str, dict[str, Any]]) -> str:
    """Return the figures of every filter in a row."""
    names = list(dict.fromkeys(key for row in baselines.values() for key in row))
    rows = [[name, *(_text(row.get(n)) for n in names)] for name, row in baselines.items()]
    return html_table(['filter', *(name.replace('_', ' ') for name in names)], rows)


def html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table with escaped cells."""
    lines = [''.join(f'<th>{html.escape(cell)}</th>' for cell in head)]
    lines += [''.join(f'<td>{html.escape(cell)}</td>' for cell in row) for row in rows]
    table = ''.join(f'<tr>{line}</tr>' for line in lines)
    return f'<div class="wide"><table>{table}</table></div>'


def picture(figure: Any) -> str:
    """Return a matplotlib figure as an image inside the page, and close it."""
    stream = io.BytesIO()
    figure.savefig(stream, format='png', dpi=110)
    pyplot.close(figure)
    data = base64.b64encode(stream.getvalue()).decode()
    return f'<img alt="" src="data:image/png;base64,{data}">'


def _text(value: Any) -> str:
    if value is None or value != value:
        return '-'
    if isinstance(value, float):
        return f'{value:.4g}'
    return ', '.join(map(_text, value)) if isinstance(value, (list, tuple)) else str(value)
