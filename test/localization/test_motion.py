"""Odometry history and lazy propagation."""

import numpy as np
import pytest

from mav_perception.errors import InputError
from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.motion import (
    DISTANCE,
    GAP,
    POSITION,
    YAW,
    AnchoredState,
    OdometryHistory,
    TeamOdometry,
    propagate,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import OdometrySample, TeamState, nanoseconds

PARAMETERS = FilterParameters()


def sample(time, x=0.0, y=0.0, z=0.0, yaw=0.0):
    return OdometrySample(
        nanoseconds(time), np.array([x, y, z]), quaternion_from_euler([0.0, 0.0, yaw])
    )


def random_walk(rng, count=50):
    xyz = np.cumsum(rng.normal(0, 0.1, (count, 3)), axis=0)
    yaw = np.cumsum(rng.normal(0, 0.3, count))
    return [sample(0.1 * k, *xyz[k], yaw=yaw[k]) for k in range(count)]


def test_interpolation_hits_samples_and_runs_between_them():
    history = OdometryHistory(PARAMETERS)
    for item in (sample(0), sample(1, x=2.0, yaw=3.0), sample(2, x=2.0, yaw=-3.0)):
        history.add(item)
    np.testing.assert_allclose(history.at(nanoseconds(0.5))[POSITION], [1, 0, 0])
    assert history.at(nanoseconds(2))[YAW] == pytest.approx(2 * np.pi - 3.0)  # unwrapped
    assert history.at(nanoseconds(2))[DISTANCE] == pytest.approx(2.0)


def test_outside_the_history_the_pose_is_held_and_the_gap_counted():
    history = OdometryHistory(PARAMETERS)
    history.add(sample(0))
    history.add(sample(1, x=1.0))
    late = history.at(nanoseconds(4))
    np.testing.assert_allclose(late[POSITION], [1, 0, 0])
    assert late[GAP] == pytest.approx(3.0)


def test_a_jump_is_a_restarted_vio_whose_path_goes_on():
    history = OdometryHistory(PARAMETERS)
    history.add(sample(0.0))
    history.add(sample(0.1, x=0.1))
    notice = history.add(sample(0.2, x=500.0, yaw=np.pi / 2))
    assert notice.code == 'odometry_jump'
    assert 'restarted' in notice.text
    history.add(sample(0.3, x=500.0, y=0.1, yaw=np.pi / 2))  # forward in its new frame
    np.testing.assert_allclose(history.at(nanoseconds(0.3))[POSITION], [0.2, 0, 0], atol=1e-12)
    assert history.at(nanoseconds(0.3))[GAP] > 1.0


@pytest.mark.parametrize(
    ('bad', 'word'),
    [
        (sample(1.0), 'not newer'),
        (sample(0.5), 'not newer'),
        (sample(2.0, x=np.nan), 'not finite'),
        (OdometrySample(nanoseconds(2), np.zeros(3), np.zeros(4)), 'norm'),
        (OdometrySample(nanoseconds(2), np.zeros(3), np.full(4, np.nan)), 'norm'),
    ],
)
def test_bad_odometry_is_refused_and_changes_nothing(bad, word):
    history = OdometryHistory(PARAMETERS)
    history.add(sample(0.0))
    history.add(sample(1.0, x=1.0))
    before = history.at(nanoseconds(1.5)).tobytes()
    with pytest.raises(InputError, match=word):
        history.add(bad)
    assert history.at(nanoseconds(1.5)).tobytes() == before


def anchored(rng, odometry, stamp):
    root = rng.standard_normal((8, 8))
    mean = rng.uniform(-1, 1, (2, 4))
    state = TeamState(stamp, mean, root @ root.T)
    return AnchoredState(state, odometry.rows(stamp))


def test_propagating_in_two_steps_equals_one_step():
    rng = np.random.default_rng(0)
    odometry = TeamOdometry(2, PARAMETERS)
    for drone in range(2):
        for item in random_walk(rng):
            odometry.add(drone, item)
    start = anchored(rng, odometry, nanoseconds(0.5))
    middle, end = nanoseconds(1.73), nanoseconds(3.21)
    once = propagate(start, end, odometry.rows(end), PARAMETERS)
    half = propagate(start, middle, odometry.rows(middle), PARAMETERS)
    twice = propagate(half, end, odometry.rows(end), PARAMETERS)
    np.testing.assert_allclose(twice.team.mean, once.team.mean, atol=1e-12)
    # Noise of the first leg turns into position on the second, so the two differ by that alone.
    np.testing.assert_allclose(
        np.diag(twice.team.covariance), np.diag(once.team.covariance), rtol=2e-3, atol=1e-3
    )


def test_propagating_forth_and_back_returns_the_mean():
    rng = np.random.default_rng(1)
    odometry = TeamOdometry(2, PARAMETERS)
    for drone in range(2):
        for item in random_walk(rng):
            odometry.add(drone, item)
    start = anchored(rng, odometry, nanoseconds(2.0))
    there = propagate(start, nanoseconds(1.2), odometry.rows(nanoseconds(1.2)), PARAMETERS)
    back = propagate(there, nanoseconds(2.0), odometry.rows(nanoseconds(2.0)), PARAMETERS)
    np.testing.assert_allclose(back.team.mean, start.team.mean, atol=1e-12)
    assert (np.diag(back.team.covariance) >= np.diag(start.team.covariance) - 1e-12).all()


def test_motion_during_an_outage_is_used_when_the_odometry_comes_back():
    odometry = TeamOdometry(2, PARAMETERS)
    for drone in range(2):
        odometry.add(drone, sample(0))
    start = AnchoredState(TeamState(0, np.zeros((2, 4)), 1e-4 * np.eye(8)), odometry.rows(0))
    odometry.add(1, sample(5))
    silent = propagate(start, nanoseconds(5), odometry.rows(nanoseconds(5)), PARAMETERS)
    np.testing.assert_allclose(silent.team.mean[0], 0.0)
    assert silent.team.covariance[0, 0] > 1.0 > silent.team.covariance[4, 4]
    odometry.add(0, sample(6, x=3.0))
    odometry.add(1, sample(6))
    back = propagate(silent, nanoseconds(6), odometry.rows(nanoseconds(6)), PARAMETERS)
    np.testing.assert_allclose(back.team.mean[0, :3], [3, 0, 0], atol=1e-12)
