"""The search runs beside the filter: frames do not wait for it, and what it finds moves on."""

from concurrent.futures import Executor, Future

import numpy as np
import pytest

from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.geometry import wrap_angle
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.recordings.recording import sample_truth
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario_files import load_scenario

pytestmark = pytest.mark.flight

LATE_FRAMES = 30
"""A search is done so many frames after it was begun: more than a second."""


class LateExecutor(Executor):
    """Does what it is given when it is told to, as a busy machine would."""

    def __init__(self):
        self.waiting = None

    def submit(self, function, /, *arguments):
        assert self.waiting is None, 'one search at a time'
        self.waiting = (Future(), function, arguments, LATE_FRAMES)
        return self.waiting[0]

    def frame(self):
        if self.waiting is None:
            return
        future, function, arguments, left = self.waiting
        self.waiting = (future, function, arguments, left - 1)
        if left == 0:
            self.waiting = None
            future.set_result(function(*arguments))


def test_who_is_found_late_is_put_where_it_is_by_then():
    scenario = load_scenario('unknown3', seed=5)
    recording, parameters = fly(scenario), matching_parameters(scenario)
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    executor, feed, errors, searching = LateExecutor(), OdometryFeed(recording), [], 0
    localizer.search_beside(executor)
    for frame in recording.frames:
        stamp_ns = frame.sightings.stamp_ns
        feed.until(stamp_ns, localizer)
        _, notices = localizer.update(frame.sightings)
        searching += executor.waiting is not None
        executor.frame()
        if any(notice.code == 'drone_found' for notice in notices):
            truth = sample_truth(recording, np.array([stamp_ns]))[0]
            mean = localizer.filter.state_at(stamp_ns).team.mean
            active = localizer.filter.state.active
            turn = wrap_angle(mean[0, 3] - truth[0, 3])
            assert abs(turn) < 0.1
            away = (mean - mean[0] - truth + truth[0])[active, :3]
            errors.append(np.linalg.norm(away, axis=1).max())
    assert searching > 2 * LATE_FRAMES
    assert localizer.localized.all()
    assert len(errors) >= 1
    assert max(errors) < 0.6  # they fly a metre and more in that time
