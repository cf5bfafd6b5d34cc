"""Predicted sightings: regression over the uncertainty, extrinsics, log range."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mav_perception.errors import InputError
from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.measurement.camera_scan import check_sightings
from mav_perception.localization.measurement.observation import (
    innovations,
    measurement_noise,
    predict_sightings,
)
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.types import Sightings

FORWARD = CameraMount.forward(np.zeros(3), np.zeros(3))


def random_mean(rng, drones=4):
    return np.column_stack([rng.uniform(-4, 4, (drones, 3)), rng.uniform(-3, 3, drones)]).ravel()


def sightings_of(points):
    count = len(points)
    return Sightings('mav1', 0, points, np.full(count, 1e-3), np.full(count, 1e-12))


def predict(mean, observer=0, tilt=(0.0, 0.0), mount=FORWARD, sigma=1e-4):
    others = np.delete(np.arange(len(mean) // 4), observer)
    covariance = sigma**2 * np.eye(len(mean))
    return predict_sightings(mean, covariance, observer, 4 * others, np.array(tilt), mount)


def test_jacobians_equal_numeric_differences_where_the_uncertainty_is_small():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        mean = random_mean(rng)
        mount = CameraMount.forward(rng.normal(0, 0.1, 3), rng.normal(0, 0.3, 3))
        tilt = rng.normal(0, 0.2, 2)
        predicted = predict(mean, 1, tilt, mount)
        jacobians = predicted.jacobians(16)
        for column in range(16):
            shift = np.zeros(16)
            shift[column] = 1e-6
            ahead, behind = (predict(mean + s * shift, 1, tilt, mount).points for s in (1, -1))
            # z - h(x) in the tangent space of the unmoved prediction.
            difference = np.array(
                [
                    innovations(predicted, sightings_of(a[None]))[i, 0]
                    - innovations(predicted, sightings_of(b[None]))[i, 0]
                    for i, (a, b) in enumerate(zip(ahead, behind, strict=True))
                ]
            )
            np.testing.assert_allclose(jacobians[:, :, column], difference / 2e-6, atol=1e-5)


def test_a_large_uncertainty_is_met_by_its_own_moments():
    mean = np.array([0, 0, 0, 0, 4.0, 0, 0, 0])
    covariance = np.diag([1e-12, 1e-12, 1e-12, 0.2, 0.3, 0.3, 0.1, 1.0]) ** 2
    predicted = predict_sightings(mean, covariance, 0, np.array([4]), np.zeros(2), FORWARD)
    rng = np.random.default_rng(0)
    states = rng.multivariate_normal(mean, covariance, 200_000)
    points = states[:, 4:7] - states[:, :3]
    yaw = np.arctan2(points[:, 1], points[:, 0]) - states[:, 3]
    log_range = np.log(np.linalg.norm(points, axis=1)) - np.log(4.0)
    spread = predicted.predicted_covariance(covariance)[0]
    assert np.sqrt(spread[:2, :2].trace()) == pytest.approx(
        np.sqrt(yaw.var() + (points[:, 2] / 4).var()), rel=0.03
    )
    assert np.sqrt(spread[2, 2]) == pytest.approx(log_range.std(), rel=0.05)
    assert predicted.linearisation_bias[0, 2] == pytest.approx(log_range.mean(), abs=1e-3)


def test_the_logarithm_of_a_noisy_range_is_right_on_average():
    rng = np.random.default_rng(1)
    predicted = predict(np.array([0, 0, 0, 0, 5.0, 0, 0, 0]))
    ranges = 5.0 * (1.0 + 0.2 * rng.standard_normal(50_000))
    measured = Sightings(
        'mav1', 0, ranges[:, None] * [[0, 0, 1.0]], np.ones(50_000), (0.2 * ranges) ** 2
    )
    residual = innovations(predicted, measured)[0, :, 2]
    assert abs(residual.mean()) < 0.004
    noise = measurement_noise(measured)[:, 2, 2]
    np.testing.assert_allclose(noise, 0.04)
    assert residual.var() == pytest.approx(0.04, rel=0.2)


def test_a_range_that_nobody_knows_keeps_a_sighting_in_its_gate():
    mean = np.array([0, 0, 0, 0, 4.0, 0, 0, 0])
    bearing = Sightings(
        'mav1', 0, np.array([[0, 0, 4.0]]), np.array([1e-3]), np.array([(100 * 4.0) ** 2])
    )
    predicted = predict(mean)
    sigma = np.sqrt(measurement_noise(bearing)[0, 2, 2])
    assert abs(innovations(predicted, bearing)[0, 0, 2]) < 0.1 * sigma


def test_a_forward_camera_sees_a_drone_ahead_along_its_optical_axis():
    mean = np.array([[0, 0, 0, np.pi / 2], [0, 5, 0, 0], [-5, 5, 0, 0], [0, 5, 5, 0]], float)
    points = predict(mean.ravel()).points
    np.testing.assert_allclose(points, [[0, 0, 5], [-5, 0, 5], [0, -5, 5]], atol=1e-12)


def test_roll_and_pitch_of_the_observer_come_from_its_odometry():
    rng = np.random.default_rng(3)
    mean = random_mean(rng)
    poses = mean.reshape(4, 4)
    roll, pitch, yaw = 0.2, -0.3, poses[0, 3]
    mount = CameraMount.forward(np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.2, 0.3]))
    body = Rotation.from_quat(quaternion_from_euler([roll, pitch, yaw])).as_matrix()
    in_body = (poses[1:, :3] - poses[0, :3]) @ body
    expected = (in_body - mount.translation) @ mount.rotation.T
    points = predict(mean, 0, (roll, pitch), mount).points
    np.testing.assert_allclose(points, expected, atol=1e-12)


@pytest.mark.parametrize(
    ('points', 'change', 'word'),
    [
        ([[np.nan, 0, 1]], {}, 'NaN'),
        ([[0.0, 0, 0]], {}, 'camera itself'),
        ([[0.0, 0, 1]], {'bearing_var': np.array([0.0])}, 'not positive'),
        ([[0.0, 0, 1]], {'range_var': np.array([-1.0])}, 'not positive'),
        ([[0.0, 0, 1]], {'range_var': np.array([1.0, 2.0])}, 'shapes'),
        ([[0.0, 0, 1]], {'score': np.array([np.nan])}, 'NaN'),
    ],
)
def test_bad_sightings_are_refused_by_name(points, change, word):
    with pytest.raises(InputError, match=word):
        check_sightings(replace(sightings_of(np.array(points, float)), **change))


def test_who_is_where_the_camera_is_has_a_prediction_without_nan():
    """A young object may stand under one hypothesis where the observer is."""
    mean, covariance = np.zeros(8), 0.01 * np.eye(8)
    predicted = predict_sightings(mean, covariance, 0, np.array([4]), np.zeros(2), FORWARD)
    assert np.isfinite(predicted.jacobian_blocks).all()
    assert np.isfinite(predicted.linearisation_covariance).all()
