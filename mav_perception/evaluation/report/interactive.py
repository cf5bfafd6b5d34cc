"""Plots of a run to zoom and to point at, with Bokeh; its code goes into the page."""

from __future__ import annotations

from typing import Any

import numpy as np

from mav_perception.evaluation.report.run_events import RunEvent, spans_with_pose
from mav_perception.evaluation.report.run_plots import seconds_of
from mav_perception.evaluation.report.run_record import DroneRecord, RunRecord
from mav_perception.types import FloatArray, IntArray

AXES = ('x [m]', 'y [m]', 'z [m]', 'yaw [rad]')

MOST_POINTS = 1200
"""Points of a line; more only make the page large."""

MARKERS = {'found': 'triangle', 'lost': 'x', 'jump': 'diamond', 'VIO restart': 'star'}

COLOURS = ('#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b', '#e377c2', '#7f7f7f')
"""The first of those of matplotlib, so that a drone has one colour on the whole page."""


def interactive_html(record: RunRecord, events: tuple[RunEvent, ...]) -> tuple[str, str]:
    """Return what goes into the head of a page, and the plots for its body.

    Raises:
        ModuleNotFoundError: Bokeh is not installed.
    """
    from bokeh.embed import components
    from bokeh.layouts import column
    from bokeh.models import Range1d
    from bokeh.resources import Resources

    end = float(seconds_of(record, record.end_ns))
    span = Range1d(start=-0.02 * end, end=1.02 * end)
    plots = [_map(record), _timeline(record, events, span)]
    for index in range(len(record.drones)):
        plots += [_axis(record, axis, index, span) for axis in range(len(AXES))]
    # One after the other in one part: each part of its own would be searched through with all.
    script, part = components(column(plots, sizing_mode='stretch_width'))
    text = '<p class="note">Drag to move, wheel to zoom, point for figures.</p>'
    head = Resources(mode='inline', components=['bokeh']).render_js()
    return head, text + part + script


def _thinned(stamps: IntArray) -> IntArray:
    """Return indices of at most `MOST_POINTS`, evenly spread."""
    return np.unique(np.linspace(0, len(stamps) - 1, MOST_POINTS).astype(int))


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _figure(**options: Any) -> Any:
    from bokeh.plotting import figure

    plot = figure(
        sizing_mode='stretch_width', tools='pan,wheel_zoom,box_zoom,reset,hover', **options
    )
    plot.toolbar.logo = None
    return plot


def _map(record: RunRecord) -> Any:
    """Draw truth, estimate and VIO alone from above."""
    plot = _figure(
        height=440, title='Map', match_aspect=True, x_axis_label='x [m]', y_axis_label='y [m]'
    )
    for index, drone in enumerate(record.drones):
        for path, width, dash in (
            (drone.truth, 5, 'solid'),
            (drone.estimate, 2, 'solid'),
            (drone.vio, 1, 'dotted'),
        ):
            kept = _thinned(path.stamps) if len(path.stamps) else np.zeros(0, int)
            label = {'legend_label': drone.name} if path is drone.estimate else {}
            plot.line(
                *path.poses[kept, :2].T, color=_colour(index), width=width, line_dash=dash,
                alpha=0.35 if width == 5 else 1.0, **label,
            )  # fmt: skip
    plot.legend.click_policy = 'hide'
    return plot


def _axis(record: RunRecord, axis: int, index: int, span: Any) -> Any:
    """Draw one coordinate of one drone over time: truth, VIO alone, estimate with 3 sigma."""
    drone = record.drones[index]
    plot = _figure(height=170, x_range=span, y_axis_label=AXES[axis])
    if axis == 0:
        plot.height, plot.title.text = 190, f'{drone.name}: pose with 3 sigma'
    if axis == len(AXES) - 1:
        plot.xaxis.axis_label = 'time [s]'
    kept = _thinned(drone.estimate.stamps)
    time = seconds_of(record, drone.estimate.stamps[kept])
    value, sigma = _with_pauses(drone, kept, axis)
    plot.varea(time, value - 3.0 * sigma, value + 3.0 * sigma, color=_colour(index), alpha=0.2)
    for path, dash in ((drone.truth, 'solid'), (drone.vio, 'dotted')):
        if len(path.stamps):
            some = _thinned(path.stamps)
            plot.line(
                seconds_of(record, path.stamps[some]), path.poses[some, axis], color='black',
                alpha=0.5, line_dash=dash,
            )  # fmt: skip
    plot.line(time, value, color=_colour(index), width=1.5)
    return plot


def _with_pauses(drone: DroneRecord, kept: IntArray, axis: int) -> tuple[FloatArray, FloatArray]:
    """Return a coordinate and its sigma, NaN at the end of each span with a pose."""
    value = drone.estimate.poses[kept, axis].astype(float)
    sigma = np.sqrt(np.maximum(drone.covariance[kept, axis, axis], 0.0))
    ends = [last for _, last in spans_with_pose(drone.estimate.stamps)[:-1]]
    value[np.searchsorted(drone.estimate.stamps[kept], ends, 'right') - 1] = np.nan
    return value, sigma


def _timeline(record: RunRecord, events: tuple[RunEvent, ...], span: Any) -> Any:
    """Draw when each drone had a pose, and what happened to it."""
    names = [drone.name for drone in record.drones]
    plot = _figure(
        height=110 + 28 * len(names), title='Poses and events', x_range=span, y_range=names[::-1],
        x_axis_label='time [s]', tooltips=[('at', '@x{0.0} s'), ('', '@text')],
    )  # fmt: skip
    for index, drone in enumerate(record.drones):
        spans = np.array(spans_with_pose(drone.estimate.stamps), np.int64)
        plot.hbar(
            y=[drone.name] * len(spans), left=seconds_of(record, spans[:, 0]),
            right=seconds_of(record, spans[:, 1]), height=0.5, color=_colour(index), alpha=0.4,
        )  # fmt: skip
    for kind, marker in MARKERS.items():
        those = [event for event in events if event.kind == kind]
        if those:
            source = {
                'x': seconds_of(record, [event.stamp_ns for event in those]),
                'y': [event.drone for event in those],
                'text': [event.text for event in those],
            }
            plot.scatter('x', 'y', marker=marker, size=11, source=source, legend_label=kind)
    if plot.legend:
        plot.legend.orientation = 'horizontal'
        plot.add_layout(plot.legend[0], 'above')  # not over the bars
    return plot
