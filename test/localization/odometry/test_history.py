"""Odometry history: interpolation, restarts, late samples, bad input."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.errors import InputError, LateError
from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.odometry.history import OdometryHistory
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import OdometrySample, nanoseconds


def at(time):
    """Return the stamp of a time in seconds, on a day on which robots fly."""
    return UNIX_BEGIN_NS + nanoseconds(time)


PARAMETERS = FilterParameters()


def sample(time, x=0.0, y=0.0, z=0.0, yaw=0.0):
    return OdometrySample(at(time), np.array([x, y, z]), quaternion_from_euler([0.0, 0.0, yaw]))


def test_interpolation_hits_samples_and_runs_between_them():
    history = OdometryHistory()
    for item in (sample(0), sample(0.4, x=2.0, yaw=3.0), sample(0.8, x=2.0, yaw=-3.0)):
        history.add(item, PARAMETERS)
    np.testing.assert_allclose(history.at(at(0.2)).position, [1, 0, 0])
    assert history.at(at(0.8)).yaw == pytest.approx(2 * np.pi - 3.0)  # unwrapped
    assert history.at(at(0.8)).distance == pytest.approx(2.0)


def test_outside_the_history_its_end_is_told_with_its_own_stamp():
    history = OdometryHistory()
    history.add(sample(0), PARAMETERS)
    history.add(sample(1, x=1.0), PARAMETERS)
    late = history.at(at(4))
    np.testing.assert_allclose(late.position, [1, 0, 0])
    assert late.stamps == at(1)
    assert late.gap == 0.0


def test_in_a_break_nobody_knows_where_the_drone_is_and_it_drifts_at_its_pace():
    history = OdometryHistory()
    for time in np.arange(0.0, 4.1, 0.1):  # a metre a second, and a radian
        history.add(sample(time, x=time, yaw=time), PARAMETERS)
    history.add(sample(14.0, x=5.0, yaw=4.0), PARAMETERS)  # in a curve
    there = history.at(at(13.9))
    assert there.stamps == at(4.0)
    assert there.distance == pytest.approx(4.0)
    back = history.at(at(14.0))
    assert back.position[0] == pytest.approx(5.0)
    assert back.distance == pytest.approx(14.0)
    assert back.turn == pytest.approx(14.0)


def test_a_jump_is_a_restarted_vio_whose_path_goes_on():
    history = OdometryHistory()
    history.add(sample(0.0), PARAMETERS)
    history.add(sample(0.1, x=0.1), PARAMETERS)
    notice = history.add(sample(0.2, x=500.0, yaw=np.pi / 2), PARAMETERS).notice
    assert notice.code == 'odometry_jump'
    assert 'restarted' in notice.text
    history.add(sample(0.3, x=500.0, y=0.1, yaw=np.pi / 2), PARAMETERS)  # forward in its new frame
    np.testing.assert_allclose(history.at(at(0.3)).position, [0.2, 0, 0], atol=1e-12)
    assert history.at(at(0.3)).gap > 1.0


@pytest.mark.parametrize(
    ('bad', 'word'),
    [
        (sample(1.0), 'duplicate'),
        (sample(-0.5), 'late_window'),
        (sample(2.0, x=np.nan), 'nan.* the VIO diverged'),
        (sample(2.0, x=1e200), r'1\.e\+200.* the VIO diverged'),
        (OdometrySample(at(2), np.zeros(3), np.zeros(4)), 'norm'),
        (OdometrySample(at(2), np.zeros(3), np.full(4, np.nan)), 'norm'),
    ],
)
def test_bad_odometry_is_refused_and_changes_nothing(bad, word):
    history = OdometryHistory()
    history.add(sample(0.0), PARAMETERS)
    history.add(sample(1.0, x=1.0), PARAMETERS)
    before = history.at(at(1.5)).values.tobytes()
    with pytest.raises(InputError, match=word):
        history.add(bad, PARAMETERS)
    assert history.at(at(1.5)).values.tobytes() == before


@pytest.mark.parametrize(
    ('jump', 'said'),
    [
        ({'x': 10.3}, False),
        ({'x': 12.0}, True),
        ({'x': 10.3, 'yaw': 1.5}, True),
        ({'x': 0.0}, True),
    ],
)
def test_a_restart_slower_than_any_speed_limit_is_noticed(jump, said):
    history = OdometryHistory()
    parameters = replace(PARAMETERS, max_speed=1e3)
    for k in range(3):
        history.add(sample(0.1 * k, x=10.0 + 0.1 * k), parameters)
    notice = history.add(sample(0.3, **jump), parameters).notice
    assert (notice is not None) == said


def test_the_raw_pose_is_kept_for_tf_after_a_restart():
    history = OdometryHistory()
    for k in range(3):
        history.add(sample(0.1 * k, x=9.0 + 0.1 * k), PARAMETERS)
    history.add(sample(0.3, x=0.0), PARAMETERS)
    history.add(sample(0.4, x=0.1), PARAMETERS)
    np.testing.assert_allclose(history.at(at(0.4)).raw, [0.1, 0, 0, 0], atol=1e-12)
    assert history.at(at(0.4)).position[0] > 9.0
    assert history.unbroken_since_ns == at(0.3)


def test_who_flies_on_its_back_does_not_turn_over_between_two_samples():
    history = OdometryHistory()
    for time, roll in ((0.0, 3.13), (0.1, 3.16), (0.2, -3.13)):
        attitude = quaternion_from_euler([roll, 0.0, 0.0])
        history.add(OdometrySample(at(time), np.zeros(3), attitude), PARAMETERS)
    assert history.at(at(0.05)).roll_pitch[0] == pytest.approx(3.145)
    assert history.at(at(0.15)).roll_pitch[0] == pytest.approx(3.1566, abs=1e-4)


def test_a_nose_that_goes_through_the_vertical_is_no_restart():
    history = OdometryHistory()
    for k, pitch in enumerate(np.arange(1.2, 2.0, 0.04)):
        attitude = quaternion_from_euler([0.0, pitch, 0.0])
        insertion = history.add(OdometrySample(at(0.04 * k), np.zeros(3), attitude), PARAMETERS)
        assert insertion.notice is None


def test_late_samples_give_the_same_path_in_any_order():
    rng = np.random.default_rng(4)
    samples = [sample(0.1 * k, *rng.normal(0, 0.02, 3), yaw=0.1 * k) for k in range(9)]
    straight, shuffled = OdometryHistory(), OdometryHistory()
    for item in samples:
        straight.add(item, PARAMETERS)
    for index in rng.permutation(9):
        shuffled.add(samples[index], PARAMETERS)
    stamps = np.array([at(t) for t in np.linspace(0, 0.9, 30)])
    np.testing.assert_allclose(
        shuffled.path(stamps).values, straight.path(stamps).values, atol=1e-12
    )


def test_a_sample_from_long_ago_is_late():
    history = OdometryHistory()
    history.add(sample(10.0), PARAMETERS)
    with pytest.raises(LateError, match='clock jumped back'):
        history.add(sample(5.0), PARAMETERS)


def test_a_start_at_the_origin_holds_although_the_first_sample_is_heard_late(pair_team):
    team = replace(pair_team, start_at_origin=(True, True))
    joint_filter = CoupledPdaFilter(team, FilterParameters())
    for time, x in ((1.0, 3.0), (2.0, 4.0)):
        for name in team.names:
            quaternion = quaternion_from_euler([0.0, 0.0, np.pi / 2.0])
            sample = OdometrySample(at(time), np.array([x, 0.0, 0.0]), quaternion)
            joint_filter.add_odometry(name, sample)
    state = joint_filter.predict(at(2.0))
    np.testing.assert_allclose(state.mean[0], [4.0, 0.0, 1.0, np.pi / 2.0], atol=1e-6)
    # The second drone began at (4, 0.5), turned by 180 degrees.
    np.testing.assert_allclose(state.mean[1], [0.0, 0.5, 1.2, -np.pi / 2.0], atol=1e-6)
    # It has flown at least four metres.
    assert state.covariance[0, 0] > 4.0 * FilterParameters().position_noise ** 2


def test_a_restart_is_told_once_however_late_an_earlier_sample_comes():
    history = OdometryHistory()
    for time in (0.0, 0.1, 0.3):
        assert not history.add(sample(time, x=5.0 + time), PARAMETERS).notice
    assert history.add(sample(0.4), PARAMETERS).notice
    inserted = history.add(sample(0.2, x=5.2), PARAMETERS)
    assert inserted.notice is None
    assert history.at(at(0.4)).gap > 1.0  # it stays a restart
    assert history.add(sample(0.5, x=9.0), PARAMETERS).notice  # the next is another one
