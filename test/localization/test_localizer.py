"""Unknown start, late joiners, lost and restarted drones, as a whole."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.benchmark.baselines import BASELINES
from mav_perception.evaluation.benchmark.comparison import average_nees
from mav_perception.evaluation.metrics.team_errors import errors_in_sigmas
from mav_perception.evaluation.playback import play
from mav_perception.geometry import wrap_angle
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.joining import with_drone
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.recordings.recording import LabelledFrame, sample_truth
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Fault, Scenario
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import nanoseconds, seconds

pytestmark = pytest.mark.flight

VICTIM = 2
"""The drone that has the fault in the shipped scenarios."""


def flown(name):
    scenario = load_scenario(name, duration=35.0, seed=1)
    return fly(scenario), matching_parameters(scenario)


def flight_time(recording, frame):
    return seconds(frame.sightings.stamp_ns - recording.begin_ns)


def play_with(recording, parameters):
    return play(recording, BASELINES['cpdaf'].build(recording, parameters))


@pytest.mark.parametrize('name', ['unknown3', 'unknown5'])
def test_a_team_finds_itself_and_nobody_is_placed_wrong(name):
    scenario = load_scenario(name, seed=5)
    recording, parameters = fly(scenario), matching_parameters(scenario)
    estimate = play_with(recording, parameters)
    assert estimate.start_ns is not None
    assert len(estimate.initializations) >= len(recording.team.names) - 1
    assert not any(found.wrong for found in estimate.initializations)
    assert 0.5 < average_nees(recording, estimate, (0, 1, 2, 3)) < 1.5


def test_drones_that_never_see_each_other_are_never_placed():
    recording, parameters = flown('unknown4')
    frames = tuple(
        LabelledFrame(f.sightings.subset(f.labels < 0), f.labels[f.labels < 0])
        for f in recording.frames
    )
    assert play_with(replace(recording, frames=frames), parameters).initializations == ()


def test_a_late_joiner_is_found():
    recording, parameters = flown('late')
    estimate = play_with(recording, parameters)
    placed = estimate.localized[:, VICTIM]
    assert not placed[estimate.stamps < recording.begin_ns + nanoseconds(20.0)].any()
    assert placed[-1]
    assert not any(found.wrong for found in estimate.initializations)
    # Where it was before it said anything is not known: it was not just standing there.
    assert estimate.initializations[0].stamp_ns > recording.begin_ns + nanoseconds(20.5)
    assert estimate.localized[:, [0, 1, 3]].mean() > 0.99


class Feed:
    """A localizer that is fed a recording up to any time."""

    def __init__(self, recording, parameters):
        self.recording = recording
        self.localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
        self.odometry = [list(samples) for samples in recording.odometry]
        self.frames = list(recording.frames)
        self.codes = []

    def odometry_until(self, time):
        self._odometry_until_ns(self.recording.begin_ns + nanoseconds(time))

    def _odometry_until_ns(self, stamp_ns):
        for name, samples in zip(self.recording.team.names, self.odometry, strict=True):
            while samples and samples[0].stamp_ns <= stamp_ns:
                self.localizer.add_odometry(name, samples.pop(0))

    def until(self, time):
        end_ns = self.recording.begin_ns + nanoseconds(time)
        while self.frames and self.frames[0].sightings.stamp_ns <= end_ns:
            frame = self.frames.pop(0)
            self._odometry_until_ns(frame.sightings.stamp_ns)
            _, notices = self.localizer.update(frame.sightings)
            self.codes += [notice.code for notice in notices]


def test_the_pose_of_a_restarted_drone_is_withdrawn_until_it_is_seen():
    recording, parameters = flown('reset')
    feed = Feed(recording, parameters)
    feed.until(19.9)
    assert feed.localizer.localized.all()
    feed.odometry_until(20.6)
    assert feed.localizer.localized.tolist() == [drone != VICTIM for drone in range(4)]
    assert 'restarted' in feed.localizer.status()[VICTIM].text
    feed.until(30.0)
    assert feed.localizer.localized.all()
    stamp = feed.localizer.filter.stamp_ns
    truth = recording.truth[VICTIM].at(np.array([stamp]))[0]
    pose = feed.localizer.filter.predict(stamp).mean[VICTIM]
    assert np.linalg.norm(pose[:3] - truth[:3]) < 0.6


def test_without_a_search_a_restarted_drone_is_published_again_once_it_is_certain():
    recording, parameters = flown('reset')
    feed = Feed(recording, replace(parameters, recover=False))
    feed.until(19.9)
    feed.odometry_until(20.6)
    assert not feed.localizer.localized[VICTIM]
    feed.until(30.0)
    assert feed.localizer.localized.all()


@pytest.mark.parametrize('seed', [4, 5, 7])
def test_a_vio_that_restarts_after_turning_unseen_is_never_published_wrong(seed):
    begin, end = 8.0, 28.0
    fault = Fault('vio_restart', f'mav{VICTIM + 1}', begin, end)
    scenario = Scenario(drones=4, duration=36.0, seed=seed, faults=(fault,))
    recording = fly(scenario)
    frames = tuple(
        frame
        for frame in recording.frames
        if frame.sightings.observer != fault.drone
        or not fault.strikes(fault.drone, flight_time(recording, frame), fault.kind)
    )
    recording = replace(recording, frames=frames)
    feed, published = Feed(recording, matching_parameters(scenario)), 0
    for time in np.arange(end, scenario.duration, 0.2).tolist():
        feed.until(time)
        if feed.localizer.localized[VICTIM]:
            stamp = feed.localizer.filter.stamp_ns
            team = feed.localizer.filter.predict(stamp)
            truth = sample_truth(recording, np.array([stamp]))[0]
            yaw = abs(float(wrap_angle(team.mean[VICTIM, 3] - truth[VICTIM, 3])))
            assert yaw < 5.0 * np.sqrt(team.block(VICTIM)[3, 3]), time
            assert errors_in_sigmas(team, truth)[VICTIM] < 5.0, time
            published += 1
    assert published > 30


def test_a_drone_that_is_not_where_it_should_be_is_withdrawn_and_found():
    scenario = Scenario(drones=4, duration=60.0, seed=1)
    recording, parameters = fly(scenario), matching_parameters(scenario)
    feed = Feed(recording, parameters)
    feed.localizer._monitor.watch = lambda *_: None  # it would mend this before anybody is lost
    feed.until(10.0)
    joint_filter = feed.localizer.filter
    state = joint_filter.state_at(joint_filter.stamp_ns)
    wrong = state.team.mean[1] + [4.0, 4.0, 0.0, 2.0]
    joint_filter.replace_state(with_drone(state, 1, wrong, 1e-3 * np.eye(4), state.anchors[1]))
    for time in range(11, 61):  # found after some seconds, at the latest when the flight ends
        feed.until(float(time))
        if 'drone_found' in feed.codes:
            break
    assert feed.codes[:2] == ['drone_lost', 'drone_found']
    assert feed.localizer.localized.all()


def test_a_blind_camera_harms_nobody():
    recording, parameters = flown('blind')
    estimate = play_with(recording, parameters)
    assert estimate.localized.mean() > 0.98


def test_the_status_says_what_is_missing():
    recording, parameters = flown('nominal')
    team = recording.team.with_unknown_start()
    localizer = TeamLocalizer(CoupledPdaFilter(team, parameters))
    assert [s.localized for s in localizer.status()] == [False] * 4
    localizer.add_odometry('mav1', recording.odometry[0][0])
    localizer.add_odometry('mav2', recording.odometry[1][0])
    for frame in recording.frames[:1]:
        localizer.update(frame.sightings)
    texts = [s.text for s in localizer.status()]
    assert 'odometry' in texts[2]
    assert not localizer.status()[1].localized


def test_the_status_says_whose_odometry_has_stopped():
    recording, parameters = flown('nominal')
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    for drone, samples in enumerate(recording.odometry):
        for sample in samples[: 20 if drone == 2 else 100]:
            localizer.add_odometry(recording.team.names[drone], sample)
    newest = recording.odometry[0][99].stamp_ns
    for frame in recording.frames:
        if frame.sightings.stamp_ns < newest and frame.sightings.observer != 'mav3':
            localizer.update(frame.sightings)
    status = localizer.status()
    assert [s.localized for s in status] == [True, True, False, True]
    assert 'odometry has stopped' in status[2].text
