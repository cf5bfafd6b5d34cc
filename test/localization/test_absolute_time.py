"""The time of day changes nothing, nor who begins to speak first."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.benchmark.baselines import BASELINES
from mav_perception.evaluation.playback import play
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import OdometrySample, Sightings, nanoseconds

OFFSETS = [0.0, 1e6, 1.7e9, 4e9]
"""Seconds: simulated time, a machine that booted, real robots, and the year 2096."""


def played(name, begin_ns, seconds=12.0):
    scenario = load_scenario(name, seed=2, duration=seconds)
    recording = fly(scenario, begin_ns)
    parameters = replace(matching_parameters(scenario), error_correlation=0.5)
    return play(recording, BASELINES['cpdaf'].build(recording, parameters))


@pytest.mark.flight
@pytest.mark.parametrize('name', ['nominal', 'unknown3', 'delayed', 'reset'])
def test_a_recording_gives_the_same_at_any_time_of_day(name):
    reference = played(name, UNIX_BEGIN_NS)
    assert reference.localized.any()
    for offset in OFFSETS:
        estimate = played(name, nanoseconds(offset))
        np.testing.assert_allclose(estimate.means, reference.means, atol=1e-9)
        for mine, other in zip(estimate.states, reference.states, strict=True):
            np.testing.assert_allclose(mine.covariance, other.covariance, atol=1e-9)
        np.testing.assert_array_equal(estimate.localized, reference.localized)
        elapsed = estimate.stamps - nanoseconds(offset)
        np.testing.assert_array_equal(elapsed, reference.stamps - UNIX_BEGIN_NS)


def hovering(team, begin, first):
    """Return a localizer of two drones that hover face to face; `first` speaks first."""
    localizer = TeamLocalizer(CoupledPdaFilter(team, FilterParameters()))
    order = sorted(team.names, key=lambda name: name != first)
    for k in range(40):
        stamp_ns = nanoseconds(begin) + k * 100_000_000
        for name in order:
            sample = OdometrySample(stamp_ns, np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
            localizer.add_odometry(name, sample)
        for name in order:
            seen = Sightings(
                observer=name, stamp_ns=stamp_ns, positions=np.array([[0.0, 0.0, 3.9]]),
                bearing_var=np.array([1e-4]), range_var=np.array([0.01]),
            )  # fmt: skip
            localizer.update(seen)
    return localizer


@pytest.mark.parametrize('offset', OFFSETS)
@pytest.mark.parametrize('first', ['mav1', 'mav2'])
def test_whoever_speaks_first_a_known_start_is_as_sure_as_it_was_told(pair_team, offset, first):
    state = hovering(pair_team, offset, first).team_state()
    reference = hovering(pair_team, 1.8e9, 'mav1').team_state()
    np.testing.assert_allclose(state.mean, reference.mean, atol=1e-9)
    np.testing.assert_allclose(state.covariance, reference.covariance, atol=1e-9)
    sigma = np.sqrt(np.diag(state.block(1)))
    assert (sigma <= pair_team.start_sigma[1] + 0.02).all()


@pytest.mark.parametrize('offset', OFFSETS)
def test_a_drone_that_has_not_begun_waits_at_its_start(pair_team, offset):
    joint_filter = CoupledPdaFilter(pair_team, FilterParameters())
    for k in range(100):
        stamp_ns = nanoseconds(offset) + k * 100_000_000
        sample = OdometrySample(stamp_ns, np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
        joint_filter.add_odometry('mav1', sample)
        joint_filter.update(
            Sightings('mav1', stamp_ns, np.zeros((0, 3)), np.zeros(0), np.zeros(0))
        )
    waiting = joint_filter.predict(nanoseconds(offset) + 9_900_000_000)
    np.testing.assert_allclose(waiting.mean[1], pair_team.start[1])
    np.testing.assert_allclose(np.sqrt(np.diag(waiting.block(1))), pair_team.start_sigma[1])
