"""The curves of a fitted sensor model, for the report of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from scipy.stats import beta

from mav_perception.evaluation.sensor_model.sensor_model_files import (
    load_checks,
    load_sighting_noise,
)
from mav_perception.simulation.flight.sensors import SightingNoise
from mav_perception.types import FloatArray

matplotlib.use('Agg')
from matplotlib import pyplot


def sensor_curves(path: Path) -> Any:
    """Draw a fitted sensor model: noise in range and, from the checks beside it, P_D.

    Raises:
        ConfigurationError: the file is no sensor model.
        DataError: the checks beside it are broken.
    """
    noise, checks = load_sighting_noise(path), load_checks(path)
    figure, axes = pyplot.subplots(
        1, 3 if checks else 1, figsize=(12.5 if checks else 5.0, 3.4), squeeze=False,
        layout='constrained',
    )  # fmt: skip
    draw_range(axes[0, 0], noise)
    if checks:
        draw_size_curve(axes[0, 1], checks['p_d_by_size'])
        draw_place_map(axes[0, 2], np.array(checks['by_place']['p_d'], float))
        figure.suptitle(checks_line(checks), fontsize=8)
    return figure


def draw_range(axis: Any, noise: SightingNoise) -> None:
    """Draw what is measured over the distance, one sigma to either side."""
    distance = np.linspace(noise.min_range, noise.max_range, 100)
    share = noise.range_share
    axis.fill_between(distance, distance * (1 - share), distance * (1 + share), alpha=0.3)
    axis.plot(distance, distance, 'k--', lw=0.8)
    axis.set(
        xlabel='distance [m]', ylabel='measured, 1 sigma [m]',
        title=f'$P_D$ {noise.detection_probability:.2f}, {noise.clutter_per_frame:.2f} false a '
        f'frame, bearing {np.degrees(noise.bearing):.2f} degrees',
    )  # fmt: skip
    axis.title.set_fontsize(8)


def draw_size_curve(axis: Any, rows: list[dict[str, float]]) -> None:
    """Draw P_D over the apparent length, with the 95 % interval of so many targets."""
    rate, count = (np.array([row[key] for row in rows], float) for key in ('p_d', 'targets'))
    middle = np.array([np.sqrt(row['from_px'] * row['to_px']) for row in rows])
    # Beta quantiles (Clopper and Pearson): at P_D = 1 a normal interval would have no width.
    low = beta.ppf(0.025, rate * count + 1e-9, (1.0 - rate) * count + 1.0)
    high = beta.ppf(0.975, rate * count + 1.0, (1.0 - rate) * count + 1e-9)
    reach = np.maximum([rate - low, high - rate], 0.0)  # at P_D 0 and 1 one of them is rounding
    axis.errorbar(middle, rate, reach, fmt='o-', capsize=3)
    axis.set(xlabel='length in the image [pixel]', ylabel='$P_D$', ylim=(0.0, 1.02))
    axis.set_xscale('log')


def draw_place_map(axis: Any, rate: FloatArray) -> None:
    """Draw P_D in nine cells of the image; empty where nobody was to be seen."""
    axis.imshow(rate, cmap='Blues', vmin=0.0, vmax=1.0, aspect=0.8)
    for (row, column), value in np.ndenumerate(rate):
        text = '-' if np.isnan(value) else f'{value:.2f}'
        colour = 'white' if value > 0.5 else 'black'
        axis.text(column, row, text, ha='center', va='center', color=colour)
    axis.set(xticks=[], yticks=[], xlabel='$P_D$ by place in the image')


def checks_line(checks: dict[str, Any]) -> str:
    """Return the NIS on images that the model was not fitted to, in words."""
    parts = []
    for name in ('bearing', 'range'):
        if (check := checks.get(f'{name}_nis')) is not None:
            low, high = check['bounds_95']
            parts.append(f'{name} NIS {check["mean"]:.2f} (95 % bounds {low:.2f} to {high:.2f})')
    return f'held-out images: {"; ".join(parts) or "no NIS, too few detections"}'
