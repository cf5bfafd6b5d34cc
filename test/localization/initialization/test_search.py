"""Flights from an unknown start: who is found, and what the drones saw of each other tells."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.geometry import yaw_rotation
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.initialization import pose_initializer
from mav_perception.localization.initialization.mutual_sightings import MutualSightings
from mav_perception.localization.initialization.pose_modes import PoseMode
from mav_perception.localization.initialization.pose_refinement import covariance_at
from mav_perception.localization.initialization.search import SearchResult, search
from mav_perception.localization.initialization.team_modes import ModeFinder
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.recordings.recording import sample_truth
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario_files import load_scenario

pytestmark = pytest.mark.flight

SECONDS = 16.0
MISLEADING = 55, 303
"""Seeds of unknown5 in which what the first drone saw is explained best by a wrong team."""


def relative(poses):
    """Return (N, 4) poses in the frame of the first."""
    turned = (poses[:, :3] - poses[0, :3]) @ yaw_rotation(poses[0, 3])
    return np.column_stack([turned, poses[:, 3] - poses[0, 3]])


def flown(seed):
    scenario = load_scenario('unknown5', seed=seed, duration=SECONDS)
    return fly(scenario), matching_parameters(scenario)


@pytest.mark.parametrize('seed', MISLEADING)
def test_nobody_is_put_where_the_first_drone_alone_would_have_it(seed):
    recording, parameters = flown(seed)
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    feed = OdometryFeed(recording)
    for frame in recording.frames:
        feed.until(frame.sightings.stamp_ns, localizer)
        localizer.update(frame.sightings)
        state = localizer.filter.state
        if state is None:
            continue
        truth = sample_truth(recording, np.array([state.stamp_ns]))[0]
        away = (relative(state.team.mean) - relative(truth))[state.active, :3]
        assert np.linalg.norm(away, axis=1).max() < 1.0
    assert localizer.localized.all()


@pytest.fixture(scope='module')
def search_of_two():
    """Return a search after four seconds, the true relative poses then, and the parameters."""
    tasks = []

    def nobody(task):
        tasks.append(task)
        return SearchResult((), ())

    recording, parameters = flown(MISLEADING[0])
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    feed = OdometryFeed(recording)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pose_initializer, 'search', nobody)
        for frame in recording.frames:
            feed.until(frame.sightings.stamp_ns, localizer)
            localizer.update(frame.sightings)
            if len(tasks) == 5:
                break
    task = tasks[-1]
    truth = sample_truth(recording, np.array([task.stamp_ns]))[0]
    return task, relative(truth), parameters


def evidence(search, one, other, moved=0.0, uncertainty=0.01):
    """Return the mutual evidence of two true poses, the second moved so many metres."""
    task, truth, parameters = search
    modes = {}
    for drone, offset in ((one, 0.0), (other, moved)):
        pose = truth[drone] + np.array([offset, 0.0, 0.0, 0.0])
        modes[drone] = [
            PoseMode(
                pose=pose, covariance=uncertainty * np.eye(4), intensity_ratio=np.zeros(0),
                cost=0.0, log_prior=0.0, evidence=0.0,
            )
        ]  # fmt: skip
    found = MutualSightings(task.scans, modes, parameters).between((one, 0), (other, 0))
    weight = task.scans.weight[task.scans.scan]
    return float(weight @ np.log1p(found.intensity_ratio)) - found.cost


def test_two_right_poses_explain_what_the_drones_saw_of_each_other(search_of_two):
    assert evidence(search_of_two, 1, 3) > 10.0
    assert evidence(search_of_two, 1, 3) == pytest.approx(evidence(search_of_two, 3, 1), abs=2.0)


def test_whoever_is_found_is_as_unsure_as_the_paths_have_drifted(search_of_two):
    task = search_of_two[0]
    task = replace(task, parameters=replace(task.parameters, start_margin=0.0))
    (found,) = search(task).initialized
    finder = ModeFinder(task.scans, task.known, task.parameters)
    sightings = covariance_at(finder.evidence(found.drone).pairs, found.pose)
    drift = task.scans.drift[found.drone, 0]
    added = np.diag(found.covariance - sightings)
    assert (added[:2] > 0.0).all() and (added < 20.0 * drift).all()


def test_a_wrong_pose_should_have_been_seen(search_of_two):
    assert evidence(search_of_two, 1, 3, moved=4.0) < -1.0


def test_vague_poses_tell_less(search_of_two):
    sharp, vague = (evidence(search_of_two, 1, 3, uncertainty=u) for u in (0.01, 0.3))
    assert 0.0 < vague < sharp
