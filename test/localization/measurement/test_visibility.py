"""What a camera can see: soft edges, wide lenses, and where clutter is dense."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import trapezoid

from mav_perception.errors import ConfigurationError
from mav_perception.localization.measurement.observation import predict_sightings
from mav_perception.localization.measurement.visibility import (
    FieldOfView,
    clutter_density,
    solid_angle,
    view_probability,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.types import Sightings

PARAMETERS = FilterParameters()
FORWARD = CameraMount.forward(np.zeros(3), np.zeros(3))


def view(target, covariance, parameters=PARAMETERS):
    mean = np.concatenate([np.zeros(4), target, [0.0]])
    predicted = predict_sightings(mean, 1e-8 * np.eye(8), 0, np.array([4]), np.zeros(2), FORWARD)
    bearing, log_range = np.sqrt([(covariance[0] + covariance[1]) / 2.0, covariance[2]])
    return view_probability(
        predicted.points, FieldOfView.of(parameters), np.array([bearing]), np.array([log_range])
    )[0]


@pytest.mark.parametrize(('distance', 'low', 'high'), [(3.0, 0.99, 1.0), (30.0, 0.0, 1e-6)])
def test_range_limits(distance, low, high):
    assert low <= view([distance, 0, 0], [1e-4, 1e-4, 1e-3]) <= high


def test_edge_of_view_is_as_soft_as_the_prediction_is_uncertain():
    angle = PARAMETERS.half_view_horizontal

    def probability(bearing, sigma):
        target = [4 * np.cos(bearing), 4 * np.sin(bearing), 0]
        return view(target, [sigma**2, sigma**2, 1e-3])

    assert probability(angle, 0.05) == pytest.approx(0.5, rel=1e-2)
    assert probability(angle + 0.1, 0.01) < 1e-6
    assert probability(angle + 0.1, 0.1) > 0.1
    assert probability(np.pi, 0.1) < 1e-6


def test_a_lens_wider_than_a_half_space_sees_behind_itself():
    wide = replace(PARAMETERS, half_view_horizontal=3.0, half_view_vertical=0.5)
    assert view([-4.0, 1.0, 0.0], [1e-4, 1e-4, 1e-3], wide) > 0.99
    assert view([-4.0, 0.0, 4.0], [1e-4, 1e-4, 1e-3], wide) < 1e-6


@pytest.mark.parametrize(
    ('half', 'expected'),
    [(np.pi / 4, 4 * np.arcsin(0.5)), (3.1415926, 4 * np.pi * np.sin(np.pi / 4))],
)
def test_solid_angle(half, expected):
    parameters = replace(PARAMETERS, half_view_horizontal=half, half_view_vertical=np.pi / 4)
    assert solid_angle(parameters) == pytest.approx(expected, rel=1e-6)


def test_clutter_density_integrates_to_the_clutter_of_a_frame():
    ranges = np.linspace(PARAMETERS.min_range, PARAMETERS.max_range, 20_001)
    sightings = Sightings(
        'mav1', 0, ranges[:, None] * [[0, 0, 1.0]], np.ones(20_001), np.ones(20_001)
    )
    density = clutter_density(2.0, sightings, PARAMETERS)
    total = trapezoid(density / ranges, ranges) * solid_angle(PARAMETERS)
    assert total == pytest.approx(2.0, rel=1e-6)


def test_an_empty_interval_of_ranges_is_refused():
    with pytest.raises(ConfigurationError, match='min_range'):
        FilterParameters(min_range=5.0, max_range=5.0)


def test_a_lens_of_180_degrees_sees_all_that_lies_ahead_and_nothing_behind():
    """Half a view of 90 degrees: the plane of the image is the edge, at every elevation."""
    half_space = replace(
        PARAMETERS, half_view_horizontal=np.pi / 2.0, half_view_vertical=np.pi / 2.0
    )
    view = FieldOfView.of(half_space)
    assert view.wide
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((500, 3))
    points = 4.0 * directions / np.linalg.norm(directions, axis=1)[:, None]
    sharp = np.zeros(len(points))
    ahead = points[:, 2] > 0.0
    np.testing.assert_allclose(view_probability(points, view, sharp, sharp), ahead, atol=1e-6)
    soft = view_probability(np.array([[4.0, 0.0, 0.0]]), view, np.array([0.1]), np.array([0.1]))
    assert soft[0] == pytest.approx(0.5, abs=1e-6)  # right at the edge


def test_cameras_of_different_views_are_answered_at_once():
    points = np.array([[2.0, 0.0, 2.0], [2.0, 0.0, 2.0], [0.0, 0.0, 4.0]])  # 45 degrees right
    view = FieldOfView(
        half_horizontal=np.array([0.7, 0.9, 0.7]), half_vertical=np.full(3, 0.5),
        min_range=0.3, max_range=10.0, wide=np.zeros(3, bool),
    )  # fmt: skip
    sharp = np.zeros(3)
    np.testing.assert_allclose(view_probability(points, view, sharp, sharp), [0.0, 1.0, 1.0])
