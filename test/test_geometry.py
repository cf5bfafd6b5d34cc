"""Rotations, and the residual of bearings on the sphere."""

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.geometry import (
    quaternion_from_euler,
    roll_pitch_yaw,
    sphere_log,
    tangent_basis,
    wrap_angle,
    yaw_rotation,
    yaw_rotation_derivative,
)


def test_wrap_angle_keeps_pi_and_wraps_the_rest():
    np.testing.assert_allclose(
        wrap_angle([np.pi, -np.pi, 3 * np.pi, 0.5, -7.0]),
        [np.pi, np.pi, np.pi, 0.5, -7.0 + 2 * np.pi],
    )


def test_roll_pitch_yaw_agrees_with_scipy():
    quaternions = Rotation.random(100, random_state=1).as_quat()
    expected = Rotation.from_quat(quaternions).as_euler('ZYX')[:, ::-1]
    np.testing.assert_allclose(roll_pitch_yaw(quaternions), expected, atol=1e-12)
    again = quaternion_from_euler(expected)
    np.testing.assert_allclose(np.abs(np.sum(again * quaternions, axis=1)), 1.0, atol=1e-12)


def test_yaw_rotation_and_its_derivative():
    yaw, step = np.linspace(-3, 3, 7), 1e-6
    np.testing.assert_allclose(
        yaw_rotation(yaw), Rotation.from_euler('Z', yaw[:, None]).as_matrix(), atol=1e-15
    )
    numeric = (yaw_rotation(yaw + step) - yaw_rotation(yaw - step)) / (2 * step)
    np.testing.assert_allclose(yaw_rotation_derivative(yaw), numeric, atol=1e-9)


def test_sphere_log_measures_the_angle_in_an_orthonormal_basis():
    rng = np.random.default_rng(0)
    base, other = rng.standard_normal((2, 200, 3))
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    basis = tangent_basis(base)
    np.testing.assert_allclose(
        np.einsum('nij,nkj->nik', basis, basis), np.tile(np.eye(2), (200, 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.einsum('nij,nj->ni', basis, base), 0.0, atol=1e-12)
    tangent = sphere_log(base, other, basis)
    angle = np.arccos(np.clip(np.sum(base * other, axis=1), -1, 1))
    np.testing.assert_allclose(np.linalg.norm(tangent, axis=1), angle, atol=1e-7)
    np.testing.assert_allclose(sphere_log(base, base, basis), 0.0, atol=1e-12)
