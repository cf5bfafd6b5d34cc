"""NED and FRD to ENU and FLU."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mav_perception.geometry import roll_pitch_yaw
from mav_perception.io.autopilots import enu_flu_from_ned_frd


def ned(roll, pitch, yaw):
    """Return w, x, y, z of aerospace angles: yaw from north, clockwise seen from above."""
    return np.roll(Rotation.from_euler('ZYX', [yaw, pitch, roll]).as_quat(), 1)


@pytest.mark.parametrize(
    ('heading', 'yaw'), [(0.0, np.pi / 2), (np.pi / 2, 0.0), (np.pi, -np.pi / 2)]
)
def test_heading_north_is_a_yaw_of_ninety_degrees(heading, yaw):
    _, quaternion = enu_flu_from_ned_frd(np.zeros(3), ned(0.0, 0.0, heading))
    angles = roll_pitch_yaw(quaternion)
    np.testing.assert_allclose(angles[:2], 0.0, atol=1e-12)
    assert np.cos(angles[2] - yaw) == pytest.approx(1.0)


def test_north_east_down_becomes_east_north_up():
    position, _ = enu_flu_from_ned_frd(np.array([1.0, 2.0, -3.0]), ned(0.0, 0.0, 0.0))
    np.testing.assert_allclose(position, [2.0, 1.0, 3.0])


def test_nose_up_and_right_wing_down_stay_what_they_are():
    _, quaternion = enu_flu_from_ned_frd(np.zeros(3), ned(0.2, 0.1, 0.0))
    body = Rotation.from_quat(quaternion).as_matrix()
    assert body[2, 0] == pytest.approx(np.sin(0.1))  # the nose points up
    assert body[2, 1] > 0.0  # the left wing is up
    np.testing.assert_allclose(body @ body.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(body) == pytest.approx(1.0)
