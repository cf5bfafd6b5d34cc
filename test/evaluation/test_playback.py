"""Playing a recording gives a filter what a live one would have, and no more."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.benchmark.comparison import score
from mav_perception.evaluation.odometry_paths import vio_alone
from mav_perception.evaluation.playback import dead_reckoning, play, sample_estimate
from mav_perception.geometry import wrap_angle
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.recordings.recording import sample_truth
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.scenario_files import load_scenario


@pytest.mark.flight
def test_odometry_from_after_a_silence_is_not_known_during_it():
    scenario = load_scenario('dropout', duration=45.0, seed=1)
    recording = fly(scenario)
    joint_filter = CoupledPdaFilter(recording.team, matching_parameters(scenario))
    estimate = play(recording, joint_filter)
    silent = recording.team.names.index('mav3')
    gap = np.diff([sample.stamp_ns for sample in recording.odometry[silent]]).max()
    assert gap > 19 * 10**9
    time = (estimate.stamps - recording.begin_ns) * 1e-9
    sigma = np.array([np.sqrt(state.block(silent)[3, 3]) for state in estimate.states])
    assert sigma[np.searchsorted(time, 19.5)] < 0.1
    assert sigma[np.searchsorted(time, 30.0)] > 0.5
    during = (time > 23.0) & (time < 39.0)
    assert not estimate.localized[during, silent].any()
    others = np.delete(np.arange(4), silent)
    assert estimate.localized[during][:, others].all()


def test_vio_alone_begins_at_the_origin_of_the_odometry_as_the_filter_takes_it():
    recording = fly(Scenario(drones=3, duration=12.0, seed=1))
    at_origin = replace(recording.team, start_at_origin=(True,) * 3)
    later = replace(recording, team=at_origin, begin_ns=recording.begin_ns + 6 * 10**9)
    stamps = np.array([later.begin_ns, later.end_ns])
    for drone in range(3):
        whole = vio_alone(recording, drone, stamps)
        difference = vio_alone(later, drone, stamps) - whole
        difference[:, 3] = wrap_angle(difference[:, 3])
        np.testing.assert_allclose(difference, 0.0, atol=1e-9)
    begin = dead_reckoning(later).means[0]
    truth = sample_truth(later, stamps[:1])[0]
    assert np.linalg.norm(begin[:, :3] - truth[:, :3], axis=1).max() < 1.0


def test_vio_alone_of_an_unknown_start_begins_at_the_truth():
    recording = fly(Scenario(drones=3, duration=6.0, seed=1))
    unknown = replace(recording, team=recording.team.with_unknown_start())
    begin = np.array([recording.begin_ns])
    for drone in (1, 2):
        there = recording.truth[drone].at(begin)
        np.testing.assert_allclose(vio_alone(unknown, drone, begin)[0, :3], there[0, :3])


def test_frames_that_are_refused_are_counted_and_the_rest_is_played():
    scenario = Scenario(drones=3, duration=6.0, seed=1)
    recording = fly(scenario)
    frames = [*recording.frames, recording.frames[-1], recording.frames[0]]
    joint_filter = CoupledPdaFilter(recording.team, matching_parameters(scenario))
    estimate = play(recording, joint_filter, frames)
    assert len(estimate.stamps) == len(recording.frames)
    assert len(estimate.refused) == 2
    assert 'a duplicate' in estimate.refused[0]


def test_a_recording_without_frames_has_no_estimate():
    scenario = Scenario(drones=3, duration=3.0, seed=1)
    recording = replace(fly(scenario), frames=())
    joint_filter = CoupledPdaFilter(recording.team, matching_parameters(scenario))
    estimate = play(recording, joint_filter)
    assert estimate.start_ns is None
    assert estimate.coverage == 0.0
    assert np.isnan(score(recording, estimate, (0, 1, 2, 3)).team_shape)


def test_who_has_no_pose_at_the_end_is_told_with_the_reason():
    scenario = Scenario(drones=3, duration=6.0, seed=1)
    recording = fly(scenario)
    assert play(recording, CoupledPdaFilter(recording.team, matching_parameters(scenario))
                ).without_pose == ()  # fmt: skip
    unknown = recording.team.with_unknown_start()
    joint_filter = CoupledPdaFilter(unknown, matching_parameters(scenario))
    estimate = play(replace(recording, team=unknown), joint_filter, recording.frames[:3])
    assert len(estimate.without_pose) == 2
    assert estimate.without_pose[0].startswith('mav2: ') and len(estimate.without_pose[0]) > 15


@pytest.mark.flight
def test_after_a_frame_that_comes_late_no_pose_is_published():
    scenario = load_scenario('delayed', duration=12.0, seed=1)
    recording = fly(scenario)
    joint_filter = CoupledPdaFilter(recording.team, matching_parameters(scenario))
    estimate = play(recording, joint_filter)
    assert (np.diff(estimate.stamps) < 0).any()
    frames = estimate.published(1)
    assert (np.diff(estimate.stamps[frames]) > 0).all()
    assert estimate.stamps[frames].max() == estimate.stamps.max()
    assert len(frames) < 0.5 * len(estimate.stamps)
    poses = sample_estimate(recording, estimate, estimate.stamps[frames])[:, 1]
    np.testing.assert_allclose(poses, estimate.means[frames, 1], atol=1e-9)
