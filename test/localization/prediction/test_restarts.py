"""Odometry that comes back after a silence, against what was seen of its drone meanwhile."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.odometry.untold_motion import UntoldMotion
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.prediction.motion import propagate
from mav_perception.localization.state import initial_state
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import OdometrySample, nanoseconds

PARAMETERS = FilterParameters()


def at(time):
    return UNIX_BEGIN_NS + nanoseconds(time)


def sample(time, x, y=0.0, yaw=0.0):
    return OdometrySample(at(time), np.array([x, y, 1.0]), quaternion_from_euler([0.0, 0.0, yaw]))


def back_at(x, seen_at, variance=0.04, parameters=PARAMETERS):
    """Return the state once a drone that fell silent at 2 m is back, and was seen meanwhile."""
    odometry = TeamOdometry(1)
    for time in (0.0, 0.1):
        odometry.add(0, sample(time, 2.0), parameters)
    start = initial_state(at(0.1), np.array([[5.0, 0, 1, 0]]), np.full((1, 4), 0.05), 1)
    start = replace(start, active=np.ones(1, bool), anchors=odometry.rows(at(0.1)))
    silent = propagate(start, at(8.0), odometry.rows(at(8.0)), parameters)
    went = np.array([[seen_at - 5.0, 0.0, 0.0]])
    silent = replace(silent, untold=UntoldMotion(went, np.full((1, 3), variance)))
    odometry.add(0, sample(8.1, x, yaw=0.4), parameters)  # far from its origin: no restart shows
    return propagate(silent, at(8.1), odometry.rows(at(8.1)), parameters)


def test_odometry_that_goes_where_the_drone_was_seen_is_believed():
    state = back_at(x=6.0, seen_at=9.2)
    np.testing.assert_allclose(state.team.mean[0], [9.0, 0.0, 1.0, 0.4], atol=1e-9)
    assert len(state.hypotheses) == 1
    assert not state.silent.any()


def test_odometry_that_was_seen_to_be_wrong_began_anew():
    state = back_at(x=0.7, seen_at=9.2)
    assert state.team.mean[0, :3] == pytest.approx([9.2, 0.0, 1.0], abs=1e-6)
    assert len(state.hypotheses) > 4  # its yaw may be anything
    assert np.sqrt(state.team.covariance[3, 3]) > 0.7
    assert not state.silent.any()


def test_what_nobody_saw_denies_nothing():
    state = back_at(x=0.7, seen_at=5.0, variance=8.0)
    np.testing.assert_allclose(state.team.mean[0, :2], [3.7, 0.0], atol=1e-9)
    assert len(state.hypotheses) == 1


def test_a_vehicle_on_a_plane_has_no_height_to_be_denied_by():
    plane = replace(PARAMETERS, vertical_noise_scale=0.0)
    assert len(back_at(x=6.0, seen_at=9.2, parameters=plane).hypotheses) == 1
