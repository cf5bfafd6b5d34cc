"""Playing a recording gives a filter what a live one would have, and no more."""

import numpy as np
import pytest

from mav_perception.evaluation.playback import play
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.simulation.flight.flight import fly, matching_parameters
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
