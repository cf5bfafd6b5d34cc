"""The joint filter on simulated flights: consistent, indifferent to order, safe from bad input."""

from dataclasses import replace

import numpy as np
import pytest
from filterpy.kalman import ExtendedKalmanFilter
from scipy.stats import chi2

from mav_perception.errors import ConfigurationError, InputError, LateError
from mav_perception.evaluation.benchmark.baselines import BASELINES
from mav_perception.evaluation.benchmark.comparison import CONSISTENCY_STEP, compare
from mav_perception.evaluation.metrics.team_errors import normalised_error_squared
from mav_perception.evaluation.playback import play
from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.measurement.observation import (
    innovations,
    measurement_noise,
    predict_sightings,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.team import Team
from mav_perception.recordings.recording import UNIX_BEGIN_NS, sample_truth
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.sensors import SightingNoise
from mav_perception.types import OdometrySample, Sightings, nanoseconds


def at(time):
    """Return the stamp of a time in seconds, on a day on which robots fly."""
    return UNIX_BEGIN_NS + nanoseconds(time)


def shipped(recording, parameters):
    return BASELINES['cpdaf'].build(recording, parameters)


def still(time):
    return OdometrySample(at(time), np.zeros(3), quaternion_from_euler(np.zeros(3)))


def started_filter(team, parameters=None):
    joint_filter = CoupledPdaFilter(team, parameters or FilterParameters())
    for time in (0.0, 1.0, 2.0):
        for name in team.names:
            joint_filter.add_odometry(name, still(time))
    return joint_filter


def sighting(observer='mav1', stamp=1.0, point=(0.3, -0.1, 4.1)):
    return Sightings(observer, at(stamp), np.array([point]), np.array([1e-3]), np.array([0.04]))


@pytest.mark.flight
def test_average_nees_lies_within_its_chi_square_bounds_over_30_runs():
    values, sizes = [], []
    for seed in range(30):
        scenario = Scenario(drones=3, duration=8.0, seed=seed, frame_rate=4.0)
        recording = fly(scenario)
        estimate = play(recording, shipped(recording, matching_parameters(scenario)))
        state = estimate.states[-1]  # one sample a run: samples of one run are not independent
        truth = sample_truth(recording, np.array([state.stamp_ns]))[0]
        # The first drone's start is exact: leave it out, it has no error to be consistent with.
        value, size = normalised_error_squared(state, truth)
        values.append(value)
        sizes.append(size)
    total, degrees = sum(values), sum(sizes)
    low, high = chi2.ppf([0.005, 0.995], degrees) / degrees
    assert low < total / degrees < high


def test_one_target_without_clutter_equals_an_extended_kalman_filter(pair_team):
    parameters = FilterParameters(
        detection_probability=0.999, clutter_per_frame=1e-4, gate_probability=0.999999
    )
    joint_filter = started_filter(pair_team, parameters)
    prior = joint_filter.predict(at(1.0))
    measured = sighting(point=(-0.45, -0.15, 3.95))
    predicted = predict_sightings(
        prior.mean.ravel(), prior.covariance, 0, np.array([4]), np.zeros(2), pair_team.mounts[0][0]
    )
    kalman = ExtendedKalmanFilter(dim_x=8, dim_z=3)
    kalman.x, kalman.P = np.zeros(8), prior.covariance.copy()
    kalman.R = measurement_noise(measured)[0] + predicted.linearisation_covariance[0]
    kalman.update(
        innovations(predicted, measured)[0, 0],
        HJacobian=lambda x: predicted.jacobians(8)[0],
        Hx=lambda x: np.zeros(3),
    )
    joint_filter.update(measured)
    posterior = joint_filter.predict(at(1.0))
    # What is left is the weight of 'clutter and missed', about 1e-6 here.
    np.testing.assert_allclose(posterior.mean - prior.mean, kalman.x.reshape(2, 4), atol=1e-5)
    np.testing.assert_allclose(posterior.covariance, kalman.P, atol=1e-5)


@pytest.mark.flight
def test_order_of_sightings_and_of_drones_does_not_matter():
    scenario = Scenario(drones=4, duration=4.0, seed=3, sighting_noise=SightingNoise())
    recording = fly(scenario)
    parameters = matching_parameters(scenario)
    reference = play(recording, shipped(recording, parameters)).means[-1]

    def reverse(frame):
        s = frame.sightings
        flipped = replace(
            s, positions=s.positions[::-1], bearing_var=s.bearing_var[::-1],
            range_var=s.range_var[::-1], score=s.score[::-1],
        )  # fmt: skip
        return replace(frame, sightings=flipped, labels=frame.labels[::-1])

    backwards = replace(recording, frames=tuple(reverse(f) for f in recording.frames))
    means = play(backwards, shipped(backwards, parameters)).means[-1]
    np.testing.assert_allclose(means, reference, atol=1e-9)

    order = [2, 0, 3, 1]
    team = recording.team
    shuffled = replace(
        recording,
        team=Team(
            tuple(team.names[i] for i in order), team.start[order], team.start_sigma[order],
            tuple(team.mounts[i] for i in order),
        ),
        odometry=tuple(recording.odometry[i] for i in order),
    )  # fmt: skip
    means = play(shuffled, shipped(shuffled, parameters)).means[-1]
    np.testing.assert_allclose(means, reference[order], atol=1e-9)


@pytest.mark.flight
def test_cpdaf_is_near_the_labelled_bound_and_far_from_dead_reckoning():
    scenario = Scenario(drones=4, duration=30.0, seed=2)
    scores = compare(fly(scenario), matching_parameters(scenario))
    assert scores['cpdaf'].team_shape < 1.2 * scores['labelled'].team_shape
    assert scores['cpdaf'].team_shape < 0.4 * scores['dead_reckoning'].team_shape
    assert CONSISTENCY_STEP > 0


def test_seeing_nobody_is_evidence(pair_team):
    joint_filter = started_filter(pair_team)
    empty = Sightings('mav1', at(1.0), np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    report = joint_filter.update(empty)
    assert report.marginal.shape == (1, 1)
    assert report.marginal[0, 0] == pytest.approx(1.0)


def test_clutter_outside_every_gate_leaves_the_state_alone(pair_team):
    joint_filter = started_filter(pair_team)
    before = joint_filter.predict(at(1.0))
    report = joint_filter.update(sighting(point=(-5.0, 2.0, 1.0)))
    after = joint_filter.predict(at(1.0))
    assert report.outside_gate == 1
    np.testing.assert_array_equal(after.mean, before.mean)


@pytest.mark.parametrize(
    ('bad', 'error', 'word'),
    [
        (sighting('mav9'), ConfigurationError, 'Unknown drone'),
        (sighting(point=(np.nan, 0, 1)), InputError, 'NaN'),
        (sighting(stamp=-5.0), InputError, 'late_window'),
        (replace(sighting(), range_var=np.array([0.0])), InputError, 'not positive'),
    ],
)
def test_a_refused_frame_leaves_the_state_bit_identical(pair_team, bad, error, word):
    joint_filter = started_filter(pair_team)
    joint_filter.update(sighting())
    before = joint_filter.predict(at(1.5))
    with pytest.raises(error, match=word):
        joint_filter.update(bad)
    after = joint_filter.predict(at(1.5))
    assert after.mean.tobytes() == before.mean.tobytes()
    assert after.covariance.tobytes() == before.covariance.tobytes()


def test_before_any_odometry_the_filter_says_whom_it_waits_for(pair_team):
    joint_filter = CoupledPdaFilter(pair_team, FilterParameters())
    joint_filter.add_odometry('mav2', still(0.0))
    with pytest.raises(InputError, match='odometry of mav1'):
        joint_filter.update(sighting())


def test_a_drone_joins_with_its_first_odometry(pair_team):
    joint_filter = CoupledPdaFilter(pair_team, FilterParameters())
    for time in (0.0, 1.0, 2.0):
        joint_filter.add_odometry('mav1', still(time))
    joint_filter.update(sighting(stamp=1.0))
    assert joint_filter.state.active.tolist() == [True, False]
    joint_filter.add_odometry('mav2', still(1.5))
    joint_filter.update(sighting(stamp=2.0))
    assert joint_filter.state.active.all()


def test_a_frame_whose_odometry_ended_is_refused(pair_team):
    joint_filter = started_filter(pair_team)
    with pytest.raises(InputError, match='without an attitude'):
        joint_filter.update(sighting(stamp=4.0))


def test_a_drone_whose_odometry_ended_may_have_turned_until_the_next_tells(pair_team):
    joint_filter = started_filter(pair_team)
    certain = joint_filter.predict(at(2.0)).block(1)[3, 3]
    joint_filter.add_odometry('mav1', still(4.0))
    noise = joint_filter.parameters.gap_yaw_noise
    asked = joint_filter.predict(at(4.0))
    assert asked.block(1)[3, 3] == pytest.approx(certain + 2.0 * noise**2, rel=1e-3)
    assert asked.block(0)[3, 3] < 1e-4  # it spoke
    assert joint_filter.predict(at(1e4)).block(1)[3, 3] < 3.4  # any direction
    joint_filter.add_odometry('mav2', still(4.0))
    told = joint_filter.predict(at(4.0)).block(1)[3, 3]
    assert told == pytest.approx(certain, rel=1e-3)


def test_a_duplicate_is_refused(pair_team):
    joint_filter = started_filter(pair_team)
    joint_filter.update(sighting())
    with pytest.raises(InputError, match='duplicate'):
        joint_filter.update(sighting())


def test_a_frame_is_used_once_although_the_state_was_changed_from_outside(pair_team):
    joint_filter = started_filter(pair_team)
    joint_filter.update(sighting())
    joint_filter.replace_state(joint_filter.state)
    with pytest.raises(InputError, match='duplicate'):
        joint_filter.update(sighting())
    with pytest.raises(LateError, match=r'0\.10 s older than others of the same camera'):
        joint_filter.update(sighting(stamp=0.9))
    joint_filter.update(sighting(observer='mav2', stamp=0.9))  # of another camera
