"""Vague starts: the first frames put nobody wrong, and the search knows of them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.initialization.start_prior import (
    WRONG_START_SHARE,
    StartPrior,
    start_priors,
    too_vague,
)
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.recordings.recording import sample_truth
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario_files import load_scenario

TURNED_WRONG = 6, 10
"""Seeds of `hard` in which the first frames turn one drone by a radian."""
FAR_WRONG = 1
"""A seed of `hard` with unknown starts: a pose that explains what the drone saw has no rival."""


def relative(poses):
    """Return (N, 4) poses in the frame of the first."""
    turned = (poses[:, :3] - poses[0, :3]) @ yaw_rotation(poses[0, 3])
    return np.column_stack([turned, wrap_angle(poses[:, 3] - poses[0, 3])])


def errors_in_flight(scenario):
    """Return the worst error of position and of yaw among those published, and the localizer."""
    recording, parameters = fly(scenario), matching_parameters(scenario)
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    feed, away, turned = OdometryFeed(recording), [], []
    for frame in recording.frames:
        feed.until(frame.sightings.stamp_ns, localizer)
        localizer.update(frame.sightings)
        state, localized = localizer.filter.state, localizer.localized
        if localized.any():
            truth = sample_truth(recording, np.array([state.stamp_ns]))[0]
            delta = (relative(state.team.mean) - relative(truth))[localized]
            away.append(np.linalg.norm(delta[:, :3], axis=1).max())
            turned.append(np.abs(wrap_angle(delta[:, 3])).max())
    return max(away), max(turned), localizer


@pytest.mark.flight
@pytest.mark.parametrize('seed', TURNED_WRONG)
def test_the_first_frames_turn_nobody_whose_start_is_vague(seed):
    away, turned, localizer = errors_in_flight(load_scenario('hard', seed=seed, duration=26.0))
    assert away < 1.2
    assert turned < 0.6  # a radian for seconds, if they start where they were told to
    assert localizer.localized.all()


@pytest.mark.flight
def test_a_pose_that_explains_only_what_the_drone_saw_has_rivals():
    scenario = replace(load_scenario('hard', seed=FAR_WRONG, duration=16.0), start_known=False)
    away, _, localizer = errors_in_flight(scenario)
    assert away < 1.2  # 2.6 m without them
    assert localizer.localized.sum() > 1


def test_the_density_of_a_mode_is_that_of_the_told_start_or_of_anywhere():
    prior = StartPrior(np.array([1.0, 2.0, 0.5, 3.0]), np.array([1.0, 1.0, 0.1, 0.2]))
    own, anywhere = np.diag([0.1, 0.2, 0.1, 0.05]), np.log(1e-5)
    near = np.array([1.5, 1.5, 0.5, -3.1])
    off = np.array([0.5, -0.5, 0.0, 2.0 * np.pi - 6.1])  # the yaw wrapped
    told = multivariate_normal(cov=own + np.diag(prior.variance)).pdf(off)
    expected = np.log((1.0 - WRONG_START_SHARE) * told + WRONG_START_SHARE * 1e-5)
    assert prior.log_density(near, own, anywhere) == pytest.approx(expected)
    far = near + np.array([30.0, 0.0, 0.0, 0.0])
    assert prior.log_density(far, own, anywhere) == pytest.approx(np.log(WRONG_START_SHARE * 1e-5))


def test_a_start_is_too_vague_by_its_position_or_by_its_yaw():
    sigma = np.array(
        [[0.3, 0.3, 0.1, 0.1], [1.0, 1.0, 0.3, 0.1], [0.3, 0.3, 0.1, 0.4], [np.nan] * 4]
    )
    assert too_vague(sigma).tolist() == [False, True, True, False]


def test_odometry_carries_a_vague_start_on_and_a_restart_ends_it():
    scenario = load_scenario('hard', seed=0, duration=6.0)
    recording, parameters = fly(scenario), matching_parameters(scenario)
    joint_filter = CoupledPdaFilter(recording.team, parameters)
    feed, drones = OdometryFeed(recording), range(1, 5)
    feed.until(recording.end_ns, joint_filter)
    state = joint_filter.state_at(recording.end_ns)
    truth = sample_truth(recording, np.array([recording.end_ns]))[0]
    priors = start_priors(recording.team, drones, joint_filter.odometry, state, parameters)
    for drone in drones:
        sigma = np.sqrt(priors[drone].variance)
        assert (sigma > recording.team.start_sigma[drone]).all()
        delta = priors[drone].pose - truth[drone]
        assert (np.abs(np.append(delta[:3], wrap_angle(delta[3]))) < 4.0 * sigma).all()
    broken = joint_filter.odometry.histories[2]
    broken.unbroken_since_ns = recording.end_ns
    left = start_priors(recording.team, drones, joint_filter.odometry, state, parameters)
    assert sorted(left) == [1, 3, 4]
