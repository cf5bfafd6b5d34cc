"""Where a camera can see, and where its false sightings come from."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from mav_perception.localization.measurement.observation import PredictedSightings
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray, Sightings

LONGEST_LOG_RANGE = 20.0
"""Bound that keeps the edges finite for a candidate at the camera."""


def view_probability(
    predicted: PredictedSightings, spread: FloatArray, parameters: FilterParameters
) -> FloatArray:
    """Return the (T,) probabilities that each candidate is in the camera's view.

    The field of view and the range limits are integrated over the uncertainty of the prediction,
    so the edge is as soft as the drone's position is uncertain.

    Args:
        predicted: predicted sightings.
        spread: (T, 3, 3) covariances H P H^T of bearing and log range.
        parameters: field of view and range limits.
    """
    x, y, z = predicted.points.T
    angle_sigma = np.sqrt(np.maximum((spread[:, 0, 0] + spread[:, 1, 1]) / 2.0, 1e-12))
    inside = np.ones(len(x))
    # Azimuth turns all the way round; elevation is taken from the plane of the optical axis.
    for angle, half in (
        (np.arctan2(x, z), parameters.half_view_horizontal),
        (
            np.arctan2(y, np.hypot(x, z)) if half_sphere(parameters) else np.arctan2(y, z),
            parameters.half_view_vertical,
        ),
    ):
        inside *= ndtr((half - angle) / angle_sigma) - ndtr((-half - angle) / angle_sigma)
    log_sigma = np.sqrt(np.maximum(spread[:, 2, 2], 1e-12))
    log_range = np.log(predicted.ranges)
    low = (np.log(max(parameters.min_range, 1e-6)) - log_range) / log_sigma
    high = (np.log(parameters.max_range) - log_range) / log_sigma
    return inside * (ndtr(high) - ndtr(low))


def half_sphere(parameters: FilterParameters) -> bool:
    """Tell whether the view is wider than what a plane image can hold."""
    return parameters.half_view_horizontal >= np.pi / 2.0


def solid_angle(parameters: FilterParameters) -> float:
    """Return the solid angle of the field of view, steradian."""
    horizontal, vertical = parameters.half_view_horizontal, parameters.half_view_vertical
    if half_sphere(parameters):
        # A band around the vertical axis, between the elevations -vertical and +vertical.
        return float(4.0 * horizontal * np.sin(min(vertical, np.pi / 2.0)))
    vertical = min(vertical, 1.57)
    return float(4.0 * np.arcsin(np.sin(horizontal) * np.sin(vertical)))


def clutter_density(
    clutter_per_frame: float, sightings: Sightings, parameters: FilterParameters
) -> FloatArray:
    """Return the (m,) densities of false sightings per rad^2 and unit of log range.

    False sightings are Poisson, uniform over the field of view and over range; a uniform range has
    a density that grows with the range where its logarithm is measured.
    """
    volume = solid_angle(parameters) * (parameters.max_range - parameters.min_range)
    density = clutter_per_frame * parameters.clutter_density_scale / volume
    return density * np.linalg.norm(sightings.positions, axis=1)


def clutter_per_volume(
    clutter_per_frame: float, sightings: Sightings, parameters: FilterParameters
) -> FloatArray:
    """Return the (m,) densities of false sightings per cubic metre; see `clutter_density`."""
    ranges = np.linalg.norm(sightings.positions, axis=1)
    return clutter_density(clutter_per_frame, sightings, parameters) / ranges**3
