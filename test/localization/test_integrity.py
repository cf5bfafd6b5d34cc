"""A second filter that left out some sightings finds what is wrong with the first one."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.evaluation.metrics.team_errors import align_team
from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.integrity import (
    RESTING,
    SWITCH_ODDS,
    WITHHOLD_ODDS,
    IntegrityMonitor,
    SecondFilter,
    separation,
)
from mav_perception.localization.joining import without_drone
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.notices import correction_notice
from mav_perception.recordings.recording import sample_truth
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import nanoseconds, seconds

SWAPPED = [0, 2, 1, 3]


def flight(duration, **changes):
    """Return a nominal flight of four drones, its localizer and its odometry."""
    recording, parameters = SensorSetup().fly(load_scenario('nominal', seed=1, duration=duration))
    joint_filter = CoupledPdaFilter(recording.team, replace(parameters, **changes))
    return recording, TeamLocalizer(joint_filter), OdometryFeed(recording)


def swap(joint_filter, stamp_ns):
    """Take two drones for each other, with all that is known of them."""
    state = joint_filter.state_at(stamp_ns)
    order = np.arange(state.hypotheses.means.shape[1])
    order[:16] = (4 * np.array(SWAPPED)[:, None] + np.arange(4)).ravel()
    means = state.hypotheses.means[:, order]
    covariances = state.hypotheses.covariances[:, order][:, :, order]
    swapped = replace(state.hypotheses, means=means, covariances=covariances)
    joint_filter.replace_state(replace(state, hypotheses=swapped))


def error(recording, joint_filter, stamp_ns):
    truth = sample_truth(recording, np.array([stamp_ns]))[:, :, :3]
    poses = joint_filter.predict(stamp_ns).mean[None, :, :3]
    return float(np.linalg.norm(align_team(poses, truth)[0] - truth[0], axis=1).max())


@pytest.mark.flight
@pytest.mark.parametrize('moment', [12.0, 16.5])
def test_two_drones_taken_for_each_other_are_told_apart_again(moment):
    recording, localizer, feed = flight(moment + 10.0)
    planted, wrong, sure, notices = None, [], [], []
    for frame in recording.frames:
        stamp_ns = frame.sightings.stamp_ns
        feed.until(stamp_ns, localizer)
        if planted is None and seconds(stamp_ns - recording.begin_ns) > moment:
            planted = stamp_ns
            swap(localizer.filter, stamp_ns)
            assert error(recording, localizer.filter, stamp_ns) > 1.0
        notices += localizer.update(frame.sightings)[1]
        if planted:
            wrong.append(error(recording, localizer.filter, stamp_ns) > 0.5)
            sure.append(bool(localizer.localized.all()))
    corrected = [notice for notice in notices if notice.code == 'pose_corrected']
    assert len(corrected) == 1
    moved = corrected[0].values['moved']
    assert moved[[1, 2]].min() > 1.0
    assert moved[[0, 3]].max() < 0.5
    assert wrong[0]
    assert not any(wrong[-20:])
    assert sure[-1]


@pytest.mark.flight
def test_a_flight_that_is_right_is_never_corrected():
    recording, localizer, feed = flight(40.0)
    without, other_feed = flight(40.0)[1:]
    without._monitor.watch = lambda *_: None
    notices = []
    for frame in recording.frames:
        for one, odometry in ((localizer, feed), (without, other_feed)):
            odometry.until(frame.sightings.stamp_ns, one)
            notices += one.update(frame.sightings)[1]
    assert 'pose_corrected' not in [notice.code for notice in notices]
    np.testing.assert_array_equal(
        localizer.filter.state.hypotheses.means, without.filter.state.hypotheses.means
    )


def flown(duration, **changes):
    recording, localizer, feed = flight(duration + 5.0, **changes)
    frames = iter(recording.frames)
    for frame in frames:
        if seconds(frame.sightings.stamp_ns - recording.begin_ns) > duration:
            break
        feed.until(frame.sightings.stamp_ns, localizer)
        localizer.update(frame.sightings)
    return recording, localizer, feed, frames


def test_evidence_decides_for_the_one_that_is_right():
    _, localizer, feed, frames = flown(6.0, recover=False)
    right, now_ns = localizer.filter, localizer.filter.stamp_ns
    wrong = right.branch()
    swap(wrong, now_ns)
    metres, apart = separation(right, wrong, now_ns)
    assert apart.tolist() == [False, True, True, False]
    assert metres[1] == pytest.approx(metres[2])
    of_wrong, of_right = SecondFilter(wrong, now_ns), SecondFilter(right.branch(), now_ns)
    for frame, _ in zip(frames, range(40), strict=False):
        feed.until(frame.sightings.stamp_ns, localizer)
        report = right.update(frame.sightings)
        of_wrong.weigh(report)
        of_right.weigh(report)
    assert of_wrong.log_odds < WITHHOLD_ODDS
    assert of_wrong.log_odds_against > SWITCH_ODDS
    assert of_right.log_odds == of_right.log_odds_against == 0.0  # the same, from there on


def test_what_a_branch_uses_does_not_reach_the_filter_and_late_odometry_reaches_both():
    _, localizer, feed, frames = flown(5.0, recover=False)
    first, second = localizer.filter, localizer.filter.branch()
    before, sightings = first.state, next(frames).sightings
    second.update(sightings)  # its odometry comes later
    assert first.state is before
    localizer._monitor._running = SecondFilter(second, first.stamp_ns)
    held = second.state.team.mean
    feed.until(sightings.stamp_ns + nanoseconds(0.1), localizer)
    first.update(sightings)
    np.testing.assert_allclose(second.state.team.mean, first.state.team.mean, atol=1e-9)
    assert not np.array_equal(held, second.state.team.mean)


def test_a_drone_that_one_of_them_does_not_know_is_not_compared():
    _, localizer, _, _ = flown(2.0, recover=False)
    first, second = localizer.filter, localizer.filter.branch()
    swap(second, first.stamp_ns)
    second.replace_state(without_drone(second.state, 2))
    metres, apart = separation(first, second, first.stamp_ns)
    assert apart.tolist() == [False, True, False, False]
    assert metres[2] == 0.0


@pytest.mark.flight
def test_a_drone_that_was_withdrawn_is_not_brought_back_by_a_filter_that_still_has_it():
    recording, localizer, feed = flight(24.0, start_margin=900.0)  # the search takes long
    lost_ns, codes = None, []
    for frame in recording.frames:
        stamp_ns = frame.sightings.stamp_ns
        feed.until(stamp_ns, localizer)
        if lost_ns is None and seconds(stamp_ns - recording.begin_ns) > 2.0 * RESTING + 1.0:
            assert localizer._monitor._resting is not None
            localizer._lose(2)
            lost_ns = stamp_ns
        codes += [notice.code for notice in localizer.update(frame.sightings)[1]]
    assert 'pose_corrected' not in codes


def test_drones_in_doubt_are_not_published_and_the_text_says_why():
    _, localizer, _, _ = flown(2.0)
    assert localizer.localized.all()
    localizer._monitor.doubtful = np.array([False, True, False, False])
    assert localizer.localized.tolist() == [True, False, True, True]
    assert 'another pose' in localizer.status()[1].text


def test_second_filters_take_turns_and_follow_new_parameters():
    _, localizer, _, _ = flown(2.0 * RESTING + 1.0)
    monitor = localizer._monitor
    assert monitor._resting is not None
    resting = seconds(localizer.filter.stamp_ns - monitor._resting.since_ns)
    assert 0.0 <= resting <= RESTING + 1.0
    changed = replace(localizer.parameters, detection_probability=0.5)
    localizer.retune(changed)
    assert monitor._resting.joint_filter.parameters is changed


def test_the_notice_names_who_moved():
    _, localizer, _, _ = flown(1.0)
    monitor = IntegrityMonitor(4)
    second = SecondFilter(localizer.filter.branch(), localizer.filter.stamp_ns, SWITCH_ODDS + 1.0)
    swap(second.joint_filter, localizer.filter.stamp_ns)
    monitor._running = second
    better = monitor._judge(localizer.filter, localizer.filter.stamp_ns)
    text = correction_notice(localizer.team.names, better).text
    assert 'mav2 by' in text
    assert 'mav3 by' in text
    assert 'mav1' not in text
