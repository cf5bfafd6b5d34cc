"""Pictures of a run for its report, each a matplotlib figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from scipy.stats import binom, chi2

from mav_perception.evaluation.metrics.team_errors import drone_nees
from mav_perception.evaluation.report.plots import draw_tracks
from mav_perception.evaluation.report.run_record import RunRecord
from mav_perception.types import FloatArray

matplotlib.use('Agg')
from matplotlib import pyplot

NIS_FRAMES, NIS_BINS = 25, 20
"""Frames of which a mean is taken, and bins of their distribution."""


def seconds_of(record: RunRecord, stamps: Any) -> FloatArray:
    """Return stamps as seconds since the first estimate of the run."""
    begin = min(int(drone.estimate.stamps[0]) for drone in record.drones)
    return (np.asarray(stamps) - begin) * 1e-9


def tracks(record: RunRecord) -> Any:
    """Draw truth, estimate with 3-sigma ellipses, and VIO alone, from above."""
    figure, axis = pyplot.subplots(figsize=(7.5, 6.0), layout='constrained')
    draw_tracks(axis, record)
    return figure


def errors(record: RunRecord) -> Any:
    """Draw the position error of every drone with its one and three sigma."""
    figure, axes = pyplot.subplots(
        len(record.drones), 1, figsize=(9.0, 1.7 * len(record.drones) + 0.5), sharex=True,
        squeeze=False, layout='constrained',
    )  # fmt: skip
    for axis, drone, index in zip(axes[:, 0], record.drones, range(99), strict=False):
        time = seconds_of(record, drone.estimate.stamps)
        sigma = np.sqrt(np.trace(drone.covariance[:, :3, :3], axis1=1, axis2=2))
        error = np.linalg.norm(drone.errors()[:, :3], axis=1)
        axis.fill_between(time, 3.0 * sigma, color=f'C{index}', alpha=0.12, label='3 sigma')
        axis.fill_between(time, sigma, color=f'C{index}', alpha=0.25, label='1 sigma')
        axis.plot(time, error, color=f'C{index}', lw=1.1, label='error')
        stamps = drone.estimate.stamps
        vio = drone.vio.at(stamps) - drone.truth.known_at(stamps)
        top = 1.3 * float(np.nanmax([3.0 * np.median(sigma), 0.05, *error]))
        axis.plot(time, np.linalg.norm(vio[:, :3], axis=1), 'k:', lw=0.8, label='VIO alone')
        axis.set(ylabel=f'{drone.name} [m]', ylim=(0.0, top))
    axes[0, 0].legend(ncols=4, fontsize=7)
    axes[-1, 0].set_xlabel('time [s]')
    return figure


def nees(record: RunRecord) -> Any:
    """Draw the NEES of every drone's pose against its 95 % bounds."""
    figure, axis = pyplot.subplots(figsize=(9.0, 3.0), layout='constrained')
    for index, drone in enumerate(record.drones):
        value = drone_nees(drone.errors(), drone.covariance, record.axes)
        time = seconds_of(record, drone.estimate.stamps)
        axis.plot(time, value, color=f'C{index}', lw=0.8, label=drone.name)
    size = len(record.axes)
    for bound in chi2.ppf([0.025, 0.975], size) / size:
        axis.axhline(bound, color='k', ls='--', lw=0.8)
    axis.set(xlabel='time [s]', ylabel='NEES / dof', yscale='log', ylim=(0.01, None))
    axis.legend(ncols=4, fontsize=7)
    return figure


def nis(record: RunRecord) -> Any:
    """Draw the normalised innovations over the frames and their distribution, with 95 % bounds."""
    figure, (over_time, distribution) = pyplot.subplots(
        1, 2, figsize=(9.0, 3.2), layout='constrained'
    )
    parts = np.array_split(record.nis, max(len(record.nis) // NIS_FRAMES, 1))
    sums = np.array([part.sum(axis=0) for part in parts])
    frames = np.cumsum([len(part) for part in parts])
    over_time.plot(frames, sums[:, 0] / sums[:, 1], lw=1.0)
    size = sums[:, 1] * record.independent
    for bound in (0.025, 0.975):
        over_time.plot(frames, chi2.ppf(bound, size) / size, 'k--', lw=0.8)
    over_time.set(xlabel='frame', ylabel=f'NIS per dof, {NIS_FRAMES} frames', ylim=(0.0, None))
    share = chi2.cdf(record.nis[:, 0], record.nis[:, 1])
    distribution.hist(share, bins=NIS_BINS, range=(0, 1), density=True, alpha=0.6)
    trials = max(int(len(share) * record.independent), 1)
    for bound in binom.ppf([0.025, 0.975], trials, 1.0 / NIS_BINS):
        distribution.axhline(bound * NIS_BINS / trials, color='k', ls='--', lw=0.8)
    distribution.set(xlabel='chi-square quantile of the NIS', ylabel='density')
    return figure


def confusion(record: RunRecord) -> Any:
    """Draw for whom the sightings of every drone were taken."""
    figure, axis = pyplot.subplots(figsize=(4.6, 4.0), layout='constrained')
    table = record.confusion
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
    axis.imshow(share, cmap='Blues', vmin=0.0, vmax=1.0)
    names = [drone.name for drone in record.drones]
    axis.set_xticks(range(len(names) + 1), [*names, 'none'], fontsize=7, rotation=30)
    axis.set_yticks(range(len(names) + 1), [*names, 'false'], fontsize=7)
    for row, values in enumerate(table):
        for column, value in enumerate(values):
            axis.text(
                column, row, f'{value:.0f}', ha='center', va='center', fontsize=7,
                color='white' if share[row, column] > 0.5 else 'black',
            )  # fmt: skip
    axis.set(xlabel='taken for', ylabel='sighting of')
    return figure


def latency(record: RunRecord) -> Any:
    """Draw a histogram of milliseconds."""
    figure, axis = pyplot.subplots(figsize=(5.0, 3.2), layout='constrained')
    axis.hist(np.clip(record.latency_ms, 0, np.quantile(record.latency_ms, 0.995)), bins=40)
    axis.set(xlabel=f'{record.latency_what} [ms]', ylabel='frames')
    return figure


PLOTS: dict[str, tuple[str, Callable[[RunRecord], Any], Callable[[RunRecord], bool]]] = {
    'Tracks from above': (
        'Truth wide, estimate with 3-sigma ellipses, VIO alone dotted.',
        tracks,
        lambda record: True,
    ),
    'Error and sigma': (
        'Position error in map, and what the filter says of it.',
        errors,
        lambda record: True,
    ),
    'NEES': (
        'Normalised estimation error squared of each pose per degree of freedom; dashed, 95 % of '
        'a true covariance.',
        nees,
        lambda record: record.has_truth,
    ),
    'NIS': (
        'Left: mean over frames. Right: flat at 1 if innovations are as large as predicted, high '
        'at the right if the filter trusts its sensors too much, at the left if too little. '
        'Dashed: 95 % of true covariances, of as many frames as are independent under the '
        'declared error_correlation. With it both are low on purpose: errors that last are '
        'counted once, and the NEES is what must be right.',
        nis,
        lambda record: len(record.nis) > 0,
    ),
    'Association': (
        'Rows: whom a sighting truly showed. Columns: whom the filter took it for.',
        confusion,
        lambda record: record.confusion.size > 0,
    ),
    'Latency': ('', latency, lambda record: len(record.latency_ms) > 0),
}
"""Title -> what it shows, how it is drawn, and whether the record has what it needs."""
