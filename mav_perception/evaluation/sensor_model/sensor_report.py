"""Tables and pictures of a fitted sensor model: where it sees well, and whether it is honest."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi2

from mav_perception.cameras.models import PinholeCamera
from mav_perception.evaluation.sensor_model.sensor_model import SensorModel
from mav_perception.evaluation.sensor_model.sensor_nis import (
    Consistency,
    bearing_nis,
    consistency,
    range_errors,
    range_nis,
)
from mav_perception.evaluation.sensor_model.target_observations import TargetObservations
from mav_perception.io.files import written_whole
from mav_perception.types import FloatArray

CELLS = 3
NEAR = 6.0


def size_table(views: TargetObservations, bins: int = 4) -> list[dict[str, float]]:
    """Return P_D by the length of the target's label, in bins of equal count."""
    edges = np.quantile(views.width, np.linspace(0.0, 1.0, bins + 1))
    index = np.clip(np.searchsorted(edges, views.width, side='right') - 1, 0, bins - 1)
    rows = []
    for k, (low, high) in enumerate(pairwise(edges.tolist())):
        found = views.found[index == k]
        rate = float(found.mean()) if len(found) else float('nan')
        rows.append(
            {
                'from_px': round(low, 1),
                'to_px': round(high, 1),
                'targets': len(found),
                'p_d': round(rate, 4),
            }
        )
    return rows


def place_table(views: TargetObservations) -> dict[str, list[list[float]]]:
    """Return P_D and false blobs an image in cells of the image, row by row."""
    rows, columns = views.image_size

    def counts(pixel: FloatArray) -> FloatArray:
        edges = ([0, 1, 2, 3], [0, 1, 2, 3])
        y, x = CELLS * pixel[:, 1] / rows, CELLS * pixel[:, 0] / columns
        return np.histogram2d(np.clip(y, 0, 2.99), np.clip(x, 0, 2.99), edges)[0]

    shown, seen = counts(views.pixel), counts(views.pixel[views.found])
    detection = np.divide(seen, shown, out=np.full_like(seen, np.nan), where=shown > 0)
    return {
        'p_d': [[round(float(v), 3) for v in row] for row in detection],
        'false_per_frame': [
            [round(float(v) / views.images, 3) for v in row] for row in counts(views.false_pixel)
        ],
    }


def check_model(
    views: TargetObservations, model: SensorModel, camera: PinholeCamera | None
) -> dict[str, Consistency]:
    """Compare the model with views that it was not fitted to: bearing, and range if known."""
    checks = {'bearing': consistency(bearing_nis(views, model), 2)}
    if camera is not None and np.isfinite(model.width_sigma):
        checks['range'] = consistency(range_nis(views, model, camera), 1)
    return checks


def figures(
    views: TargetObservations, model: SensorModel, camera: PinholeCamera | None
) -> dict[str, Any]:
    """Return all that can be said of a model on held-out views, for JSON."""
    result: dict[str, Any] = {
        'images': views.images,
        'targets': len(views.width),
        'p_d_by_size': size_table(views),
        'by_place': place_table(views),
    }
    for name, check in check_model(views, model, camera).items():
        result[f'{name}_nis'] = {
            'detections': check.count,
            'outliers': check.outliers,
            'mean': round(check.mean, 3),
            'expected': check.dimension,
            'bounds_95': [round(v, 3) for v in check.bounds],
            'inside_95_gate': round(check.inside, 4),
        }
    if camera is not None and np.isfinite(model.width_sigma):
        error = np.abs(range_errors(views, model, camera)[0])
        usable = views.ranged
        near = views.distance[usable] < NEAR
        result['range_error_median'] = round(float(np.median(error)), 4)
        result['range_error_median_to_6_m'] = (
            round(float(np.median(error[near])), 4) if near.any() else None
        )
    return result


def plot_model(
    views: TargetObservations, model: SensorModel, camera: PinholeCamera | None, path: Path
) -> None:
    """Draw P_D against size, where false blobs fall, and NIS against chi-square."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    from mav_perception.evaluation.sensor_model.sensor_curves import draw_size_curve

    checks = check_model(views, model, camera)
    figure, axes = pyplot.subplots(1, 2 + len(checks), figsize=(4.2 * (2 + len(checks)), 3.6))
    draw_size_curve(axes[0], size_table(views, 8))
    rows, columns = views.image_size
    axes[1].plot(*views.false_pixel.T, '.', alpha=0.5)
    axes[1].set(xlim=(0, columns), ylim=(rows, 0), title='false blobs', aspect='equal')
    for axis, (name, check) in zip(axes[2:], checks.items(), strict=True):
        axis.set(xlabel=f'$\\chi^2_{check.dimension}$', ylabel='NIS', title=name)
        if not check.count:
            continue
        expected = chi2.ppf((np.arange(check.count) + 0.5) / check.count, check.dimension)
        axis.plot(expected, np.sort(check.values), '.')
        axis.plot([0, expected[-1]], [0, expected[-1]], 'k--')
    figure.tight_layout()
    with written_whole(path) as part:
        figure.savefig(part, dpi=110)
    pyplot.close(figure)
