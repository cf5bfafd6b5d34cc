"""Pictures of a flight, drawn with matplotlib without a display."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.patches import Ellipse

from mav_perception.evaluation.metrics.confidence_calibration import BINS, Reliability
from mav_perception.evaluation.metrics.operating_point import OperatingCurve
from mav_perception.evaluation.report.run_record import RunRecord
from mav_perception.io.files import written_whole
from mav_perception.types import FloatArray

matplotlib.use('Agg')
from matplotlib import pyplot

ELLIPSES = 8
"""Covariance ellipses along each track."""


def ellipse_of(covariance: FloatArray, centre: FloatArray, sigmas: float = 3.0) -> Ellipse:
    """Return the ellipse of a (2, 2) covariance around a (2,) centre."""
    variance, axes = np.linalg.eigh(covariance)
    width, height = 2.0 * sigmas * np.sqrt(np.maximum(variance, 0.0))
    angle = np.degrees(np.arctan2(axes[1, 0], axes[0, 0]))
    return Ellipse((float(centre[0]), float(centre[1])), width, height, angle=angle)


def draw_tracks(axes: Any, record: RunRecord) -> None:
    """Draw truth (wide), estimate with 3-sigma ellipses, and VIO alone (dotted), from above."""
    for index, drone in enumerate(record.drones):
        colour = f'C{index}'
        axes.plot(*drone.truth.poses[:, :2].T, color=colour, lw=2.5, alpha=0.35)
        axes.plot(*drone.estimate.poses[:, :2].T, color=colour, lw=1.2, label=drone.name)
        axes.plot(*drone.vio.poses[:, :2].T, color=colour, lw=0.8, ls=':')
        step = max(1, len(drone.covariance) // ELLIPSES)
        for pose, covariance in zip(
            drone.estimate.poses[::step], drone.covariance[::step], strict=True
        ):
            ellipse = ellipse_of(covariance[:2, :2], pose[:2])
            ellipse.set(facecolor='none', edgecolor=colour, lw=0.8)
            axes.add_patch(ellipse)
    axes.set(xlabel='x [m]', ylabel='y [m]', aspect='equal')
    axes.legend(loc='upper right', fontsize=8)


def plot_flight(record: RunRecord, path: Path) -> None:
    """Draw tracks with 3-sigma ellipses from above, and errors over time, as a PNG."""
    figure, (above, errors) = pyplot.subplots(1, 2, figsize=(13, 6))
    draw_tracks(above, record)
    above.set(title='from above: truth (wide), estimate with 3 sigma, VIO alone (dotted)')
    for index, drone in enumerate(record.drones):
        begin = drone.estimate.stamps[0]
        for estimate, style in (
            (drone.estimate, {'lw': 1.2}),
            (drone.vio, {'lw': 0.8, 'ls': ':'}),
        ):
            error = (estimate.poses - drone.truth.known_at(estimate.stamps))[:, :3]
            label = drone.name if estimate is drone.estimate else None
            errors.plot(
                (estimate.stamps - begin) * 1e-9,
                np.linalg.norm(error, axis=1),
                color=f'C{index}',
                label=label,
                **style,
            )
    errors.set(
        title='error in map: estimate (line), VIO alone (dotted)',
        xlabel='time [s]',
        ylabel='error [m]',
        ylim=(0, None),
    )
    errors.legend(loc='upper right', fontsize=8)
    for axes in (above, errors):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    with written_whole(path) as part:
        figure.savefig(part, dpi=110)
    pyplot.close(figure)


def draw_operating_curve(curve: OperatingCurve, name: str, path: Path) -> None:
    """Draw P_D against false blobs an image over the gate on the score, as a PNG."""
    figure, axes = pyplot.subplots(figsize=(5.5, 4.5), layout='constrained')
    chosen = curve.at(curve.operating_point())
    for values, key, label in (
        (curve.false_per_image, 'false_per_frame', 'labelled images'),
        (curve.elsewhere, 'false_elsewhere', 'elsewhere'),
    ):
        if np.isfinite(values).any():
            (line,) = axes.plot(values, curve.p_d, '.-', lw=0.8, label=label)
            axes.plot(chosen[key], chosen['p_d'], 'o', color=line.get_color(), ms=9)
    title = f'{name}: operating point {chosen["min_score"]:.2f}'
    axes.set(xlabel='false blobs an image', ylabel='P_D', ylim=(0, 1), title=title)
    axes.legend(loc='lower right')
    with written_whole(path) as part:
        figure.savefig(part, dpi=100)
    pyplot.close(figure)


def draw_reliability(curve: Reliability, name: str, path: Path) -> None:
    """Draw stated against true probability, a bar for every bin, as a PNG."""
    figure, axes = pyplot.subplots(figsize=(4.5, 4.5), layout='constrained')
    centres = (np.arange(BINS) + 0.5) / BINS
    axes.bar(centres, np.nan_to_num(curve.true), 0.9 / BINS, alpha=0.4, label='true')
    axes.plot(curve.stated, curve.stated, 'k.-', label='stated')
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel='stated probability of the target',
        ylabel='share of such pixels that are target',
        title=f'{name}: expected calibration error {curve.error:.3f}',
    )
    axes.legend()
    with written_whole(path) as part:
        figure.savefig(part, dpi=100)
    pyplot.close(figure)
