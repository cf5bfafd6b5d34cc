"""Odometry that comes back after a silence, against what was seen of its drone meanwhile."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.odometry.drift_scale import PastTeam
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


def sample(time, x, y=0.0, yaw=0.0, z=1.0):
    return OdometrySample(at(time), np.array([x, y, z]), quaternion_from_euler([0.0, 0.0, yaw]))


def back_at(x, seen_at, variance=0.04, parameters=PARAMETERS, z=1.0, frame_at=8.1, told=8.1):
    """Return the state once a drone that fell silent at 2 m is back, and was seen meanwhile.

    It was known to be at 5 m in map, was followed until 8.0 s, and its odometry comes `told`.
    """
    odometry = TeamOdometry(1)
    for time in (0.0, 0.1):
        odometry.add(0, sample(time, 2.0), parameters)
    start = initial_state(at(0.1), np.array([[5.0, 0, 1, 0]]), np.full((1, 4), 0.05), 1)
    rows, known = odometry.rows(at(0.1)), np.ones(1, bool)
    past = PastTeam(at(0.1), start.team.mean, start.team.covariance, rows, known)
    drift = start.drift.with_past(0, past)
    start = replace(start, active=known, anchors=rows, drift=drift)
    silent = propagate(start, at(8.0), odometry.rows(at(8.0)), parameters)
    went = np.array([[seen_at - 5.0, 0.0, 0.0]])
    free = silent.untold.variance > 0.0
    silent = replace(silent, untold=UntoldMotion(went, np.where(free, variance, 0.0)))
    odometry.add(0, sample(told, x, yaw=0.4, z=z), parameters)  # no origin shows a restart
    return propagate(silent, at(frame_at), odometry.rows(at(frame_at)), parameters)


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


@pytest.mark.parametrize('speed', [1.0, 3.0, 8.0])
def test_what_nobody_saw_denies_nothing(speed):
    walked = 7.9 * PARAMETERS.gap_position_noise**2
    state = back_at(x=2.0 + speed * 8.0, seen_at=5.0, variance=walked)
    np.testing.assert_allclose(state.team.mean[0, 0], 5.0 + speed * 8.0, atol=1e-9)
    assert len(state.hypotheses) == 1


@pytest.mark.parametrize('unseen', [1.0, 3.0])
def test_a_drone_flies_on_after_it_was_last_seen(unseen):
    """At 2 m/s, seen until some seconds before its odometry is back."""
    went = 2.0 * 8.0
    variance = 0.01 + unseen * PARAMETERS.gap_position_noise**2
    state = back_at(x=2.0 + went, seen_at=5.0 + went - 2.0 * unseen, variance=variance)
    assert len(state.hypotheses) == 1
    late = back_at(
        x=2.0 + went, seen_at=5.0 + went - 2.0 * unseen, frame_at=8.0 + unseen,
        told=8.0 + unseen,
    )  # fmt: skip
    assert len(late.hypotheses) == 1


def test_a_vehicle_on_a_plane_has_no_height_to_be_denied_by():
    plane = replace(PARAMETERS, vertical_noise_scale=0.0)
    assert len(back_at(x=6.0, seen_at=9.2, parameters=plane, z=1.4).hypotheses) == 1
    assert len(back_at(x=0.7, seen_at=9.2, parameters=plane, z=1.4).hypotheses) > 4


def test_the_drift_of_a_vio_is_not_learned_across_its_restart():
    assert back_at(x=6.0, seen_at=9.2).drift.past[0] is not None
    assert back_at(x=0.7, seen_at=9.2).drift.past[0] is None
