"""The drift of the VIOs is learned in flight, whatever the parameters say."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.evaluation.playback import OdometryFeed
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.joining import with_drone
from mav_perception.simulation.flight.scenario_files import load_scenario


def filter_after(duration, told, **changes):
    """Return a filter after a nominal flight, told that its VIOs drift `told` times as they do."""
    recording, parameters = SensorSetup().fly(load_scenario('nominal', seed=3, duration=duration))
    noise = {
        name: told * getattr(parameters, name)
        for name in ('position_noise', 'yaw_noise', 'hover_position_noise', 'hover_yaw_noise')
    }
    joint_filter = CoupledPdaFilter(recording.team, replace(parameters, **noise, **changes))
    feed = OdometryFeed(recording)
    for frame in recording.frames:
        feed.until(frame.sightings.stamp_ns, joint_filter)
        joint_filter.update(frame.sightings)
    return joint_filter


@pytest.mark.flight
@pytest.mark.parametrize('told', [0.25, 1.0, 4.0])
def test_drift_that_the_parameters_tell_wrong_is_learned(told):
    scale = filter_after(50.0, told).require_state().drift.scale
    assert 0.6 < told * np.exp(np.log(scale).mean()) < 1.5


def test_it_is_not_learned_unless_asked_for():
    state = filter_after(8.0, 4.0, learn_drift=False).require_state()
    np.testing.assert_array_equal(state.drift.scale, 1.0)
    assert not any(state.drift.past)


def test_a_pose_that_was_put_in_is_not_compared_with_the_one_before_it():
    state = filter_after(5.0, 1.0).require_state()
    assert any(past is not None for past in state.drift.past)
    row = state.anchors[1]
    moved = with_drone(state, 1, np.array([9.0, 9.0, 1.0, 0.0]), np.eye(4), row)
    assert moved.drift.past == (None,) * len(state.drift.past)
    assert not moved.denied.any()
