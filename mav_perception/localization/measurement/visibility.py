"""Where a camera can see, and where its false sightings come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from mav_perception.localization.parameters import SensorParameters
from mav_perception.types import FloatArray, Sightings

MIN_SIGMA = 1e-6
"""Radians, and units of log range: keeps a sharp edge of the view finite."""


@dataclass(frozen=True)
class FieldOfView:
    """What a camera sees, or each of n cameras; all but `wide` may be (n,) arrays.

    Attributes:
        half_horizontal, half_vertical: half the field of view, radians.
        min_range, max_range: metres.
        wide: wider than what a plane image can hold, so that azimuth turns all the way round.
    """

    half_horizontal: FloatArray | float
    half_vertical: FloatArray | float
    min_range: FloatArray | float
    max_range: FloatArray | float
    wide: FloatArray | bool

    @classmethod
    def of(cls, parameters: SensorParameters) -> FieldOfView:
        """Return the field of view that the sensor parameters tell."""
        return cls(
            half_horizontal=parameters.half_view_horizontal,
            half_vertical=parameters.half_view_vertical,
            min_range=parameters.min_range,
            max_range=parameters.max_range,
            wide=parameters.half_view_horizontal >= np.pi / 2.0,
        )


def view_probability(
    points: FloatArray, view: FieldOfView, bearing_sigma: FloatArray, log_range_sigma: FloatArray
) -> FloatArray:
    """Return the (...) probabilities that each candidate is in the camera's view.

    The field of view and the range limits are integrated over the uncertainty of the prediction,
    so the edge is as soft as the candidate's position is uncertain: a product of differences of
    the normal distribution function, Phi((half - angle) / sigma) - Phi((-half - angle) / sigma).

    Args:
        points: (..., 3) predicted positions in the optical frame, metres.
        view: field of view and range limits.
        bearing_sigma: (...) standard deviation of an angle, radians; 0 for a sharp edge.
        log_range_sigma: (...) the same of the log range.
    """
    x, y, z = np.moveaxis(points, -1, 0)
    angle_sigma = np.maximum(bearing_sigma, MIN_SIGMA)
    # Azimuth turns all the way round; elevation is taken from the plane of the optical axis.
    azimuth = np.arctan2(x, z)
    elevation = np.where(view.wide, np.arctan2(y, np.hypot(x, z)), np.arctan2(y, z))
    inside = np.ones(x.shape)
    for angle, half in ((azimuth, view.half_horizontal), (elevation, view.half_vertical)):
        inside *= ndtr((half - angle) / angle_sigma) - ndtr((-half - angle) / angle_sigma)
    range_sigma = np.maximum(log_range_sigma, MIN_SIGMA)
    log_range = np.log(np.maximum(np.linalg.norm(points, axis=-1), 1e-6))
    low = (np.log(np.maximum(view.min_range, 1e-6)) - log_range) / range_sigma
    high = (np.log(view.max_range) - log_range) / range_sigma
    return inside * (ndtr(high) - ndtr(low))


def solid_angle(parameters: SensorParameters) -> float:
    """Return the solid angle of the field of view, steradian."""
    horizontal, vertical = parameters.half_view_horizontal, parameters.half_view_vertical
    if FieldOfView.of(parameters).wide:
        # A band around the vertical axis, between the elevations -vertical and +vertical.
        return float(4.0 * horizontal * np.sin(min(vertical, np.pi / 2.0)))
    vertical = min(vertical, 1.57)
    return float(4.0 * np.arcsin(np.sin(horizontal) * np.sin(vertical)))


def clutter_density(
    clutter_per_frame: float, sightings: Sightings, parameters: SensorParameters
) -> FloatArray:
    """Return the (m,) densities of false sightings per rad^2 and unit of log range.

    False sightings are Poisson, uniform over the field of view and over range; a uniform range has
    a density that grows with the range where its logarithm is measured.
    """
    volume = solid_angle(parameters) * (parameters.max_range - parameters.min_range)
    density = clutter_per_frame * parameters.clutter_density_scale / volume
    return density * np.linalg.norm(sightings.positions, axis=1)


def clutter_per_volume(
    clutter_per_frame: float, sightings: Sightings, parameters: SensorParameters
) -> FloatArray:
    """Return the (m,) densities of false sightings per cubic metre; see `clutter_density`."""
    ranges = np.linalg.norm(sightings.positions, axis=1)
    return clutter_density(clutter_per_frame, sightings, parameters) / ranges**3
