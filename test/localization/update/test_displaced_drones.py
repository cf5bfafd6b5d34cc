"""Drones that are not where the filter has them come back by the sightings of nobody known."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.evaluation.metrics.team_errors import align_team
from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import (
    innovations,
    measurement_noise,
    predict_sightings,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.update.displaced_drones import (
    MIN_UNSEEN,
    Displacement,
    possible_displacements,
    with_displaced_drones,
)
from mav_perception.recordings.recording import UNIX_BEGIN_NS, sample_truth
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import Sightings, nanoseconds, seconds

MOUNT = CameraMount.forward(np.array([0.1, 0.0, 0.02]), np.zeros(3))


def team_of_four(since_met=10.0):
    start = np.array([[0.0, 0, 0, 0], [2, 1, 0, 0.3], [4, -1, 0.5, 1.0], [6, 2, 0, -2.0]])
    state = initial_state(UNIX_BEGIN_NS, start, np.full((4, 4), 0.05), cameras=4)
    everybody = np.ones(4, bool)
    met_ns = np.full(4, state.stamp_ns - nanoseconds(since_met))
    return replace(state, active=everybody, pending=~everybody, last_met_ns=met_ns)


def scan_by(observer, state):
    """Let a drone see something ahead, a little aside."""
    sightings = Sightings(
        observer=f'mav{observer + 1}', stamp_ns=state.stamp_ns,
        positions=np.array([[0.4, -0.2, 2.5]]), bearing_var=np.full(1, 1e-4),
        range_var=np.full(1, 0.04),
    )  # fmt: skip
    return CameraScan(
        sightings=sightings, observer=observer, roll_pitch=np.array([0.05, -0.1]), mount=MOUNT,
        camera=observer,
    )  # fmt: skip


@pytest.mark.parametrize('observer', [0, 1])
def test_every_new_hypothesis_explains_the_sighting(observer):
    state = team_of_four()
    scan, parameters = scan_by(observer, state), FilterParameters(displacement_rate=1e-4)
    new, unexplained = with_displaced_drones(state, scan, np.array([[0.9]]), 1.0, parameters)
    after = new.hypotheses
    assert unexplained[:, 0].tolist() == [0.9] + [0.0] * (len(after) - 1)
    assert len(after) > 4
    assert after.weights[0] > 0.9
    assert after.weights.sum() == pytest.approx(1.0)
    assert np.linalg.eigvalsh(after.covariances).min() > 0.0
    kept = state.hypotheses.means[0]
    moved = {}
    for mean, covariance in zip(after.means[1:], after.covariances[1:], strict=True):
        drone = int(np.flatnonzero(np.abs(mean - kept) > 1e-9)[0] // 4)
        moved.setdefault(drone, []).append(mean[4 * drone + 3])
        others = np.delete(np.arange(16), np.arange(4 * drone, 4 * drone + 4))
        np.testing.assert_array_equal(mean[others], kept[others])
        exact = covariance * 1e-12 + 1e-16 * np.eye(16)  # what h is at the mean itself
        columns = 4 * np.delete(np.arange(4), observer)
        seen = predict_sightings(mean, exact, observer, columns, scan.roll_pitch, MOUNT)
        miss = innovations(seen, scan.sightings)[:, 0, :2]
        assert np.linalg.norm(miss, axis=1).min() < 1e-6
        wide = predict_sightings(mean, covariance, observer, columns, scan.roll_pitch, MOUNT)
        spread = wide.predicted_covariance(covariance) + measurement_noise(scan.sightings)
        assert np.linalg.eigvalsh(spread).min() > 0.0
    for yaws in moved.values():  # each looks to all four sides
        assert len(np.unique(np.round(yaws, 6))) == 4


def test_who_has_just_met_another_is_where_the_filter_has_it():
    state = team_of_four()
    met_ns = state.last_met_ns.copy()
    met_ns[2] = state.stamp_ns - nanoseconds(MIN_UNSEEN / 2.0)
    state = replace(state, last_met_ns=met_ns)
    possible = possible_displacements(state, scan_by(0, state))
    assert possible == [Displacement(1, 1), Displacement(3, 3)]
    seen_by_itself = possible_displacements(state, scan_by(1, state))
    assert seen_by_itself == [Displacement(3, 3), *(Displacement(1, d) for d in (0, 2, 3))]


def test_the_same_are_tried_at_any_time_of_day():
    def tried(shift_ns):
        state = team_of_four()
        state = replace(
            state, stamp_ns=state.stamp_ns + shift_ns, last_met_ns=state.last_met_ns + shift_ns
        )
        scan = scan_by(1, state)
        after, _ = with_displaced_drones(state, scan, np.ones((1, 1)), 1.0, FilterParameters())
        return after.hypotheses

    now = tried(0)
    assert len(now) == 13  # three of five possibilities, four yaws each
    for shift in (-UNIX_BEGIN_NS, nanoseconds(1e6)):
        np.testing.assert_array_equal(tried(shift).means, now.means)


def test_the_next_scans_try_the_others_even_if_the_observer_has_company():
    state, drones = team_of_four(), set()
    for frame in range(10):
        stamp_ns = state.stamp_ns + nanoseconds(0.1 * frame)
        met_ns = state.last_met_ns.copy()
        met_ns[0] = stamp_ns
        later = replace(state, stamp_ns=stamp_ns, last_met_ns=met_ns)
        scan = scan_by(0, later)
        after, _ = with_displaced_drones(later, scan, np.ones((1, 1)), 1.0, FilterParameters())
        moved = np.abs(after.hypotheses.means[1:] - after.hypotheses.means[0]) > 1e-9
        drones |= {frozenset((np.flatnonzero(row) // 4).tolist()) for row in moved}
    assert drones == {frozenset({1}), frozenset({2}), frozenset({3})}


def test_it_begins_with_the_hypothesis_that_does_not_explain_the_sighting():
    state, other = team_of_four(), np.zeros(16)
    other[0] = 0.5  # the second hypothesis has the observer elsewhere
    h = state.hypotheses
    twice = JointHypotheses(
        weights=np.array([0.6, 0.4]),
        means=np.array([h.means[0], h.means[0] + other]),
        covariances=h.covariances[[0, 0]],
        existence=h.existence[[0, 0]],
        detectable=h.detectable[[0, 0]],
    )
    state = replace(state, hypotheses=twice)
    explained = np.array([[0.05], [1.0]])
    after, _ = with_displaced_drones(state, scan_by(0, state), explained, 1.0, FilterParameters())
    assert len(after.hypotheses) > 2
    np.testing.assert_array_equal(after.hypotheses.means[2:, 0], 0.5)


def test_while_a_drone_has_no_pose_nobody_else_is_taken_for_it():
    state = replace(team_of_four(), active=np.array([True, True, True, False]))
    assert possible_displacements(state, scan_by(0, state)) == []


def test_an_explained_sighting_and_a_rate_of_nothing_change_nothing():
    state = team_of_four()
    scan = scan_by(0, state)
    for unexplained in (np.array([[0.1]]), np.zeros((1, 0))):
        after, _ = with_displaced_drones(state, scan, unexplained, 1.0, FilterParameters())
        assert after is state
    for parameters in (
        FilterParameters(displacement_rate=0.0),
        FilterParameters(max_hypotheses=1),
    ):
        assert with_displaced_drones(state, scan, np.ones((1, 1)), 1.0, parameters)[0] is state


def error_after_a_drone_was_carried(rate):
    """Put a drone elsewhere in the state, search switched off; return its error 30 s later."""
    recording, parameters = SensorSetup().fly(load_scenario('nominal', seed=1, duration=50.0))
    parameters = replace(parameters, recover=False, displacement_rate=rate)
    localizer, feed = (
        TeamLocalizer(CoupledPdaFilter(recording.team, parameters)), OdometryFeed(recording)
    )  # fmt: skip
    carried = False
    for frame in recording.frames:
        stamp_ns = frame.sightings.stamp_ns
        feed.until(stamp_ns, localizer)
        if not carried and seconds(stamp_ns - recording.begin_ns) > 20.0:
            state, carried = localizer.filter.state_at(stamp_ns), True
            means = state.hypotheses.means.copy()
            means[:, 8:12] += np.array([-2.0, 1.5, 0.0, 1.2])
            hypotheses = replace(state.hypotheses, means=means)
            localizer.filter.replace_state(replace(state, hypotheses=hypotheses))
        localizer.update(frame.sightings)
    truth = sample_truth(recording, np.array([stamp_ns]))[:, :, :3]
    poses = localizer.filter.predict(stamp_ns).mean[None, :, :3]
    return float(np.linalg.norm(align_team(poses, truth)[0] - truth[0], axis=1).max())


@pytest.mark.flight
def test_a_drone_that_was_carried_elsewhere_is_back_without_any_search():
    assert error_after_a_drone_was_carried(1e-5) < 0.4
    assert error_after_a_drone_was_carried(0.0) > 1.0
