"""Are a sensor model's covariances true? Normalised innovations squared against chi-square."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.apparent_size import angles_of_pixels, ranges_by_size
from mav_perception.evaluation.sensor_model.sensor_model import (
    GATE,
    SensorModel,
)
from mav_perception.evaluation.sensor_model.target_observations import TargetObservations
from mav_perception.types import FloatArray


@dataclass(frozen=True)
class Consistency:
    """Normalised innovation squared of one kind against its chi-square.

    Attributes:
        count: detections, without outliers.
        outliers: detections beyond the validation gate, left out as wrong blobs.
        mean: mean NIS; its expectation is `dimension`.
        bounds: between these the mean lies with 95 % if the covariances are true.
        inside: share within the 95 % gate of one detection.
        dimension: degrees of freedom.
        values: (count,) the NIS of each.
    """

    count: int
    outliers: int
    mean: float
    bounds: tuple[float, float]
    inside: float
    dimension: int
    values: FloatArray


def consistency(nis: FloatArray, dimension: int) -> Consistency:
    """Compare (n,) normalised innovations squared with chi-square of so many degrees."""
    kept = nis < chi2.ppf(GATE, dimension)
    values = nis[kept]
    count = max(len(values), 1)
    low, high = chi2.ppf([0.025, 0.975], dimension * count) / count
    return Consistency(
        count=len(values),
        outliers=int((~kept).sum()),
        mean=float(values.mean()) if len(values) else np.nan,
        bounds=(float(low), float(high)),
        inside=float((values < chi2.ppf(0.95, dimension)).mean()) if len(values) else np.nan,
        dimension=dimension,
        values=values,
    )


def bearing_nis(views: TargetObservations, model: SensorModel) -> FloatArray:
    """Return the NIS of every whole detection's centre, 2 degrees of freedom."""
    usable = views.whole
    shift = views.found_pixel[usable] - views.pixel[usable]
    return (shift**2).sum(axis=1) / centre_variance(views.found_width[usable], model)


def range_nis(views: TargetObservations, model: SensorModel, camera: PinholeCamera) -> FloatArray:
    """Return the NIS of every whole detection's range, 1 degree of freedom."""
    error, share = range_errors(views, model, camera)
    return np.asarray((error / share) ** 2)


def centre_variance(width: FloatArray, model: SensorModel) -> FloatArray:
    """Return (n,) variances of the centres of blobs so wide along each axis, pixel^2."""
    return np.asarray(model.centroid_sigma**2 + (model.centre_spread * width) ** 2)


def range_errors(
    views: TargetObservations, model: SensorModel, camera: PinholeCamera
) -> tuple[FloatArray, FloatArray]:
    """Return the range errors of the whole detections with a known distance, and their sigmas.

    Both are (n,), relative to the range.
    """
    usable = views.ranged
    width = views.found_width[usable]
    angle = angles_of_pixels(views.found_pixel[usable], width, camera)
    estimate, share = ranges_by_size(width, angle, model)
    return estimate / views.distance[usable] - 1.0, share
