"""Predicted sightings: Jacobians, extrinsics, and P_D with soft edges."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.errors import InputError
from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.observation import (
    CameraMount,
    check_sightings,
    detection_probability,
    innovations,
    predict_sightings,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import Sightings, TeamState

PARAMETERS = FilterParameters()


def random_state(rng, drones=4):
    mean = np.column_stack([rng.uniform(-4, 4, (drones, 3)), rng.uniform(-3, 3, drones)])
    return TeamState(0, mean, np.eye(4 * drones))


def sightings_of(points):
    count = len(points)
    return Sightings('mav1', 0, points, np.full(count, 1e-3), np.full(count, 1e-2))


def test_jacobians_equal_numeric_differences():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        state = random_state(rng)
        mount = CameraMount.forward(rng.normal(0, 0.1, 3), rng.normal(0, 0.3, 3))
        tilt = rng.normal(0, 0.2, 2)
        predicted = predict_sightings(state, 1, tilt, mount)
        measured = sightings_of(predicted.points)
        for column in range(16):
            shift = np.zeros(16)
            shift[column] = 1e-6
            ahead, behind = (
                predict_sightings(
                    replace(state, mean=state.mean + s * shift.reshape(4, 4)), 1, tilt, mount
                )
                for s in (1, -1)
            )
            # z - h(x) in the tangent space of the unmoved prediction.
            difference = np.array(
                [
                    innovations(predicted, sightings_of(a[None]))[i, 0]
                    - innovations(predicted, sightings_of(b[None]))[i, 0]
                    for i, (a, b) in enumerate(zip(ahead.points, behind.points, strict=True))
                ]
            )
            np.testing.assert_allclose(
                predicted.jacobians[:, :, column], difference / 2e-6, atol=1e-5
            )
        np.testing.assert_allclose(
            np.diagonal(innovations(predicted, measured), axis1=0, axis2=1), 0.0, atol=1e-12
        )


def test_a_forward_camera_sees_a_drone_ahead_along_its_optical_axis():
    mean = np.array([[0, 0, 0, np.pi / 2], [0, 5, 0, 0], [-5, 5, 0, 0], [0, 5, 5, 0]], float)
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))
    points = predict_sightings(TeamState(0, mean, np.eye(16)), 0, np.zeros(2), mount).points
    np.testing.assert_allclose(points, [[0, 0, 5], [-5, 0, 5], [0, -5, 5]], atol=1e-12)


def test_roll_and_pitch_of_the_observer_come_from_its_odometry():
    rng = np.random.default_rng(3)
    state = random_state(rng)
    roll, pitch, yaw = 0.2, -0.3, state.mean[0, 3]
    from scipy.spatial.transform import Rotation

    mount = CameraMount.forward(np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.2, 0.3]))
    body = Rotation.from_quat(quaternion_from_euler([roll, pitch, yaw])).as_matrix()
    in_body = (state.mean[1:, :3] - state.mean[0, :3]) @ body
    expected = (in_body - mount.translation) @ mount.rotation.T
    predicted = predict_sightings(state, 0, np.array([roll, pitch]), mount)
    np.testing.assert_allclose(predicted.points, expected, atol=1e-12)


@pytest.mark.parametrize(('distance', 'low', 'high'), [(3.0, 0.79, 0.801), (30.0, 0.0, 1e-6)])
def test_detection_probability_respects_range(distance, low, high):
    mean = np.array([[0, 0, 0, 0], [distance, 0, 0, 0]], float)
    predicted = predict_sightings(
        TeamState(0, mean, np.eye(8)),
        0,
        np.zeros(2),
        CameraMount.forward(np.zeros(3), np.zeros(3)),
    )
    spread = np.diag([1e-4, 1e-4, 1e-2])[None]
    probability = detection_probability(predicted, spread, PARAMETERS)[0]
    assert low <= probability <= high


def test_edge_of_view_is_as_soft_as_the_prediction_is_uncertain():
    angle = PARAMETERS.half_view_horizontal
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))

    def probability(bearing, sigma):
        mean = np.array([[0, 0, 0, 0], [4 * np.cos(bearing), 4 * np.sin(bearing), 0, 0]])
        predicted = predict_sightings(TeamState(0, mean, np.eye(8)), 0, np.zeros(2), mount)
        spread = np.diag([sigma**2, sigma**2, 1e-2])[None]
        return detection_probability(predicted, spread, PARAMETERS)[0]

    full = PARAMETERS.detection_probability
    assert probability(angle, 0.05) == pytest.approx(full / 2, rel=1e-3)
    assert probability(angle + 0.1, 0.01) < 1e-6
    assert probability(angle + 0.1, 0.1) > 0.1
    assert probability(np.pi, 0.1) < 1e-6


@pytest.mark.parametrize(
    ('points', 'change', 'word'),
    [
        ([[np.nan, 0, 1]], {}, 'NaN'),
        ([[0.0, 0, 0]], {}, 'camera itself'),
        ([[0.0, 0, 1]], {'bearing_var': np.array([0.0])}, 'not positive'),
        ([[0.0, 0, 1]], {'range_var': np.array([-1.0])}, 'not positive'),
        ([[0.0, 0, 1]], {'range_var': np.array([1.0, 2.0])}, 'shapes'),
    ],
)
def test_bad_sightings_are_refused_by_name(points, change, word):
    with pytest.raises(InputError, match=word):
        check_sightings(replace(sightings_of(np.array(points, float)), **change))
