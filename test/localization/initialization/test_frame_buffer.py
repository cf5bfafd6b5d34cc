"""Where known drones were at buffered scans: what the filter had then, not odometry back."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.initialization.frame_buffer import (
    _scan_weights,
    buffer_scan,
    stack,
)
from mav_perception.localization.initialization.known_drones import KnownDrones
from mav_perception.localization.initialization.search import search_task
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.measurement.camera_scan import camera_scan
from mav_perception.recordings.recording import UNIX_BEGIN_NS, sample_truth
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import NANOSECONDS, nanoseconds


def buffered(team, frame, state, parameters):
    """Return a frame as the search keeps it, after the update with it."""
    attitude = state.anchors[team.index(frame.sightings.observer)].roll_pitch
    return buffer_scan(camera_scan(team, frame.sightings, attitude), 1.0, state, parameters)


@pytest.fixture(scope='module')
def flown():
    """Return stacked scans of a flight, who is known at its end, and the truth."""
    scenario = load_scenario('nominal', seed=2, duration=40.0)
    recording, parameters = fly(scenario), matching_parameters(scenario)
    joint_filter = CoupledPdaFilter(recording.team, parameters)
    localizer, feed, scans = TeamLocalizer(joint_filter), OdometryFeed(recording), []
    for frame in recording.frames:
        feed.until(frame.sightings.stamp_ns, localizer)
        localizer.update(frame.sightings)
        state = joint_filter.require_state()
        scans.append(buffered(recording.team, frame, state, parameters))
    stacked = stack(scans, joint_filter.odometry, state.stamp_ns, state.drift.scale, parameters)
    variances = np.diag(state.team.covariance).reshape(-1, 4)
    known = KnownDrones(state.team.mean, variances, state.active, np.zeros((0, 3)))
    truth = sample_truth(recording, stacked.stamps).swapaxes(0, 1)
    return stacked, known, truth


def error(paths, truth):
    return np.linalg.norm(paths.poses[..., :3] - truth[..., :3], axis=-1)


@pytest.mark.flight
def test_what_the_filter_had_is_nearer_than_odometry_back_from_now(flown):
    scans, known, truth = flown
    by_odometry = known.paths(replace(scans, poses=np.full_like(scans.poses, np.nan)))
    tracked = known.paths(scans)
    early = scans.stamps < scans.stamps[len(scans.stamps) // 2]
    assert tracked.known.all()
    assert np.median(error(tracked, truth)[:, early]) < 0.25
    assert np.median(error(tracked, truth)[:, early]) < 0.5 * np.median(
        error(by_odometry, truth)[:, early]
    )
    assert tracked.variances[..., :3].mean() < by_odometry.variances[..., :3].mean()


@pytest.mark.flight
def test_a_drone_that_was_lost_meanwhile_was_where_its_odometry_says(flown):
    scans, known, _ = flown
    poses = known.poses.copy()
    poses[1, :2] += 20.0  # it is found far from where the filter had it all the time
    found = replace(known, poses=poses)
    by_odometry = found.paths(replace(scans, poses=np.full_like(scans.poses, np.nan)))
    np.testing.assert_array_equal(found.paths(scans).poses[1], by_odometry.poses[1])
    np.testing.assert_array_equal(found.paths(scans).poses[0], known.paths(scans).poses[0])


@pytest.mark.flight
def test_who_is_not_known_is_nowhere_the_filter_had_it(flown):
    scans, known, _ = flown
    unknown = replace(known, known=np.array([True, False] + [True] * (len(known.known) - 2)))
    by_odometry = unknown.paths(replace(scans, poses=np.full_like(scans.poses, np.nan)))
    np.testing.assert_array_equal(unknown.paths(scans).poses[1], by_odometry.poses[1])


def test_no_scans_are_no_paths():
    scenario = load_scenario('nominal', seed=0, duration=2.0)
    parameters = matching_parameters(scenario)
    joint_filter = CoupledPdaFilter(fly(scenario).team, parameters)
    empty = stack([], joint_filter.odometry, 0, np.ones(4), parameters)
    nothing, nobody = np.zeros((scenario.drones, 4)), np.zeros(scenario.drones, bool)
    paths = KnownDrones(nothing, nothing, nobody, np.zeros((0, 3))).paths(empty)
    assert paths.poses.shape == (scenario.drones, 0, 4)
    assert paths.known.shape == (scenario.drones, 0)


def test_where_a_silent_drone_went_is_not_known():
    scenario = load_scenario('nominal', seed=2, duration=20.0)
    recording, parameters = fly(scenario), matching_parameters(scenario)
    end_ns = recording.begin_ns + nanoseconds(10.0)
    odometry = list(recording.odometry)
    odometry[2] = tuple(s for s in odometry[2] if s.stamp_ns <= end_ns)
    recording = replace(recording, odometry=tuple(odometry))
    joint_filter = CoupledPdaFilter(recording.team, parameters)
    feed, scans = OdometryFeed(recording), []
    for frame in recording.frames:
        if frame.sightings.observer == recording.team.names[2]:
            continue
        feed.until(frame.sightings.stamp_ns, joint_filter)
        joint_filter.update(frame.sightings)
        state = joint_filter.require_state()
        scans.append(buffered(recording.team, frame, state, parameters))
    assert state.silent[2]
    assert np.linalg.norm(state.untold.mean[2]) > 0.3  # it was followed meanwhile
    task = search_task(scans, state, joint_filter.odometry, parameters)
    stamps = task.scans.stamps
    known = task.known.paths(task.scans).known[2]
    assert not task.scans.path_known[2, stamps > end_ns + nanoseconds(0.6)].any()
    np.testing.assert_allclose(task.known.poses[2], state.hypotheses.means[0, 8:12], atol=0.05)
    assert known[stamps < end_ns].all()  # it was tracked then


def test_the_first_scan_of_a_camera_counts_in_full_and_the_next_as_far_as_it_is_new():
    stamps, camera = np.array([0, 0, 1, 4]) * NANOSECONDS + UNIX_BEGIN_NS, np.array([0, 1, 0, 1])
    np.testing.assert_allclose(_scan_weights(stamps, camera, 3.0), [1.0, 1.0, 1.0 / 3.0, 1.0])
