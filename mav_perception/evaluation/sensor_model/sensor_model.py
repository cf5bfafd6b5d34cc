"""Learn the filter's sensor model from what a network did on labelled images.

This is the way of the CPDAF paper (arXiv 1909.08200): a simulation, and a filter, whose noise is
fitted to the detections of the real network.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import yaml
from scipy.optimize import least_squares, minimize
from scipy.stats import chi2, median_abs_deviation

from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.apparent_size import angles_of_pixels
from mav_perception.detection.measurements import DetectionParameters
from mav_perception.errors import DataError
from mav_perception.evaluation.sensor_model.target_observations import TargetObservations
from mav_perception.io.files import write_text
from mav_perception.localization.parameters import FilterParameters
from mav_perception.parameters import describe
from mav_perception.types import BoolArray, FloatArray

FEWEST = 30
"""Fewer detections than this say little about noise."""

SCORES = ('true_score_mean', 'true_score_weight', 'false_score_mean', 'false_score_weight')

IN_TIME = ('visible_probability', 'detection_correlation', 'error_correlation')

GATE = 0.999
"""What a validation gate of this probability refuses is no noise but a wrong blob."""


@dataclass(frozen=True)
class SensorModel:
    """Statistics of one network on one kind of images; pixels are those of the images.

    Attributes:
        detection_probability: share of targets that were found.
        clutter_per_frame: false blobs an image.
        centroid_sigma, centre_spread: noise of a blob centre is the root of the sum of squares of
            the first [pixel] and of the second times the blob's width.
        target_width: width of a target [m], NaN if it was not told and no distances were known.
        edge_loss: width that the network loses [pixel].
        edge_sigma: noise of a blob edge [pixel].
        width_sigma: spread of the apparent width with attitude, as a share; NaN without distances.
        bearing: noise of a bearing at the usual width [rad], NaN without a camera.
        range_share: noise of a range at the usual width, as a share.
        true_score_mean, true_score_weight: mean and a + b of a Beta distribution of the scores of
            blobs that show a target, weight 0 if there were too few.
        false_score_mean, false_score_weight: the same of false blobs.
        visible_probability: P_D while nothing hides the target; NaN without frames in a row.
        detection_correlation, error_correlation: time for which what hides a target, and the
            error of a blob, stay [s]; NaN likewise.
        min_score: operating point of the network at which all this holds.
    """

    detection_probability: float
    clutter_per_frame: float
    centroid_sigma: float
    centre_spread: float
    target_width: float
    edge_loss: float
    edge_sigma: float
    width_sigma: float
    bearing: float
    range_share: float
    true_score_mean: float
    true_score_weight: float
    false_score_mean: float
    false_score_weight: float
    visible_probability: float = np.nan
    detection_correlation: float = np.nan
    error_correlation: float = np.nan
    min_score: float = 0.0

    def save(self, path: Path) -> None:
        """Write parameters for the nodes and for the statistical detector."""
        rates = ('detection_probability', 'clutter_per_frame')
        blobs = (
            'centroid_sigma', 'centre_spread', 'target_width', 'edge_loss', 'edge_sigma',
            'width_sigma', 'min_score',
        )  # fmt: skip
        sections = {
            'camera_node': blobs,
            'detection_node': blobs,
            'localization_node': (*rates, *SCORES, *IN_TIME),
            'statistical_detector': ('bearing', 'range_share', *rates, *SCORES),
        }  # fmt: skip
        tree = {}
        for node, names in sections.items():
            known = {n: _permitted(n, getattr(self, n)) for n in names}
            tree[f'/**/{node}'] = {
                'ros__parameters': {
                    n: float(f'{v:.4g}') for n, v in known.items() if np.isfinite(v)
                }
            }
        write_text(path, yaml.safe_dump(tree, sort_keys=False))


def _permitted(name: str, value: float) -> float:
    """Return a number moved into the range that the parameter of the nodes has."""
    for kind in (DetectionParameters, FilterParameters):
        for item in fields(kind):
            if item.name == name:
                low, high = describe(item).low, describe(item).high
                return float(np.clip(value, -np.inf if low is None else low, high))
    return value


def fit_sensor_model(
    views: TargetObservations, camera: PinholeCamera | None, target_width: float = np.nan
) -> SensorModel:
    """Fit every number of the sensor model.

    Args:
        views: what the network made of every target.
        camera: intrinsics; without them there is no bearing noise in radians.
        target_width: width of a target in metres if it is known and not to be fitted.

    Raises:
        DataError: too few targets were found.
    """
    usable = views.whole
    if usable.sum() < FEWEST:
        raise DataError(
            f'Only {usable.sum()} targets were found whole in the {views.images} images to fit '
            f'(others check), {FEWEST} are needed: label more, or train the network first.'
        )
    width = views.found_width[usable]
    shift = views.found_pixel[usable] - views.pixel[usable]
    centroid_sigma, centre_spread = _fit_spread(shift, np.ones_like(width), width)
    usual = float(np.median(width))
    if camera is not None and views.ranged.sum() >= FEWEST:
        size = _fit_size(views, camera, target_width)
    else:
        loss = views.width[usable] - width
        edge_loss, edge_sigma = float(np.median(loss)), _robust_sigma(loss) / np.sqrt(2.0)
        size = (target_width, max(edge_loss, 0.0), edge_sigma, np.nan)
    target_width, edge_loss, edge_sigma, width_sigma = size
    centre = float(np.hypot(centroid_sigma, centre_spread * usual))
    edges = np.sqrt(2.0) * edge_sigma / (usual + edge_loss)
    true_score, false_score = map(fit_scores, (views.found_score[views.found], views.false_score))
    return SensorModel(
        # Half a count more of either: never 0 or 1 of so few (Jeffreys).
        detection_probability=float((views.found.sum() + 0.5) / (len(views.found) + 1.0)),
        clutter_per_frame=(len(views.false_pixel) + 0.5) / views.images,
        centroid_sigma=centroid_sigma,
        centre_spread=centre_spread,
        target_width=target_width,
        edge_loss=edge_loss,
        edge_sigma=edge_sigma,
        width_sigma=width_sigma,
        bearing=centre * float(np.median(pixel_angles(views.pixel, camera))) if camera else np.nan,
        range_share=float(np.hypot(np.nan_to_num(width_sigma, nan=0.1), edges)),
        true_score_mean=true_score[0],
        true_score_weight=true_score[1],
        false_score_mean=false_score[0],
        false_score_weight=false_score[1],
    )


def fit_scores(scores: FloatArray) -> tuple[float, float]:
    """Return mean and weight a + b of the Beta distribution of scores (n,), by their moments.

    With fewer than `FEWEST` scores the weight is 0: not known.
    """
    if len(scores) < FEWEST:
        return 0.5, 0.0
    mean = float(np.clip(scores.mean(), 0.01, 0.99))
    variance = max(float(scores.var()), 1e-6)
    return mean, float(np.clip(mean * (1.0 - mean) / variance - 1.0, 2.0, 1e4))


def pixel_angles(pixels: FloatArray, camera: PinholeCamera) -> FloatArray:
    """Return the angle that a pixel spans at (n, 2) pixels, in radians along the row."""
    return angles_of_pixels(pixels, np.ones(len(pixels)), camera)


def _fit_size(
    views: TargetObservations, camera: PinholeCamera, target_width: float
) -> tuple[float, float, float, float]:
    """Fit width of the target, lost width, and noise of edges and of attitude.

    The blob's width must be 2 atan(W / 2 r) / (angle of a pixel) - edge_loss.
    """
    known = views.ranged
    distance, width = views.distance[known], views.found_width[known]
    angle = pixel_angles(views.found_pixel[known], camera)

    def expected(size: float) -> FloatArray:
        return 2.0 * np.arctan(size / (2.0 * distance)) / angle

    def residual(x: FloatArray) -> FloatArray:
        size = np.exp(x[0]) if np.isnan(target_width) else target_width
        return (width - expected(size) + x[1]) / np.sqrt(width)

    # A network that paints over the edges loses nothing; the width must make up for that.
    least, most = [-np.inf, 0.0], [np.inf, np.inf]
    fit = least_squares(residual, [np.log(0.4), 1.0], loss='soft_l1', bounds=(least, most)).x
    size = float(np.exp(fit[0])) if np.isnan(target_width) else target_width
    edge_loss = round(float(fit[1]), 3)
    # A false width shows as a false range by the same share.
    error = (width + edge_loss) / expected(size) - 1.0
    shares = np.sqrt(2.0) / (width + edge_loss)
    edge_sigma, width_sigma = _fit_spread(error[:, None], shares, np.ones_like(width))
    return size, edge_loss, edge_sigma, width_sigma


def _fit_spread(
    residuals: FloatArray, first: FloatArray, second: FloatArray
) -> tuple[float, float]:
    """Fit a, b >= 0 of residuals (n, d) ~ N(0, (a first)^2 + (b second)^2), most likely ones."""
    dimension = residuals.shape[1]
    square = (residuals**2).sum(axis=1)
    # From too wide a spread inwards: from below, good measurements would be taken for outliers.
    typical = 2.0 * max(_robust_sigma(residuals), float(np.sqrt(square.mean() / dimension)), 1e-6)
    a, b = typical / np.median(first), typical / np.median(second)
    # Which residuals are outliers depends on the spread, so fit and rejection take turns.
    least = 1e-12  # of residuals that are all zero the most likely spread would be none
    for _ in range(6):
        variance = (a * first) ** 2 + (b * second) ** 2 + least
        kept = square < chi2.ppf(GATE, dimension) * variance

        def cost(x: FloatArray, kept: BoolArray = kept) -> float:
            trial = (np.exp(x[0]) * first[kept]) ** 2 + (np.exp(x[1]) * second[kept]) ** 2
            trial += least
            return float((square[kept] / trial + dimension * np.log(trial)).mean())

        a, b = np.exp(minimize(cost, np.log([a, b]), method='Nelder-Mead').x)
    return max(float(a), 0.01), float(b)


def _robust_sigma(values: FloatArray) -> float:
    return float(median_abs_deviation(np.ravel(values), center=_zero, scale='normal'))


def _zero(values: FloatArray, axis: int | None = None) -> float:
    """Spread is counted from zero: a bias is an error too."""
    return 0.0
