"""Static false positives: born, kept, deleted, and never a drone."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.benchmark.baselines import BASELINES
from mav_perception.evaluation.benchmark.comparison import score
from mav_perception.evaluation.playback import play
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.recordings.recording import LabelledFrame
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.sensors import SightingNoise
from mav_perception.types import Sightings, nanoseconds

pytestmark = pytest.mark.flight

LAMPS = np.array([[0.5, 0.3, 1.5], [-1.0, 0.8, 2.2], [0.0, -1.5, 1.0]])


def with_lamps(recording, until=1e9):
    """Add lamps that every camera takes for drones, from the true poses."""
    rng = np.random.default_rng(9)
    frames = []
    for frame in recording.frames:
        sightings = frame.sightings
        drone = recording.team.names.index(sightings.observer)
        pose = recording.truth[drone].at(np.array([sightings.stamp_ns]))[0]
        cos, sin = np.cos(pose[3]), np.sin(pose[3])
        offset = (LAMPS - pose[:3]) @ np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        optical = np.column_stack([-offset[:, 1], -offset[:, 2], offset[:, 0] - 0.1])
        seen = (optical[:, 2] > 0.5) & (np.abs(optical[:, :2]).max(axis=1) < optical[:, 2])
        seen &= (rng.random(3) < 0.7) & (
            sightings.stamp_ns < recording.begin_ns + nanoseconds(until)
        )
        lamps = optical[seen] * (1.0 + 0.05 * rng.standard_normal((seen.sum(), 1)))
        ranges = np.linalg.norm(lamps, axis=1)
        joined = Sightings(
            sightings.observer,
            sightings.stamp_ns,
            np.concatenate([sightings.positions, lamps]),
            # Level flight is assumed above, so the bearing is only good to the tilt.
            np.concatenate([sightings.bearing_var, np.full(len(lamps), 0.01)]),
            np.concatenate([sightings.range_var, (0.1 * ranges) ** 2]),
        )
        labels = np.concatenate([frame.labels, np.full(len(lamps), -1)])
        frames.append(LabelledFrame(joined, labels))
    return replace(recording, frames=tuple(frames))


@pytest.fixture(scope='module')
def flight():
    scenario = Scenario(
        drones=3, duration=40.0, seed=4, sighting_noise=SightingNoise(clutter_per_frame=0.1)
    )
    return fly(scenario), matching_parameters(scenario)


def play_out(recording, parameters):
    joint_filter = CoupledPdaFilter(recording.team, parameters)
    return play(recording, joint_filter), joint_filter.state


def test_lamps_become_static_objects_where_they_are(flight):
    recording, parameters = flight
    _, state = play_out(with_lamps(recording), parameters)
    objects = state.object_positions[state.confirmed]
    distance = np.linalg.norm(objects[None] - LAMPS[:, None], axis=2).min(axis=1)
    assert (distance < 0.6).all()
    assert len(objects) <= 6
    assert state.hypotheses.mean_existence.max() > 0.9


def test_lamps_do_not_capture_drones(flight):
    recording, parameters = flight
    lit = with_lamps(recording)
    estimate, _ = play_out(lit, parameters)
    labelled = play(lit, BASELINES['labelled'].build(lit, parameters))
    axes = (0, 1, 2, 3)
    bound = score(lit, labelled, axes).team_shape
    assert score(lit, estimate, axes).team_shape < 1.5 * bound


def test_a_lamp_that_is_taken_away_is_forgotten(flight):
    recording, parameters = flight
    _, state = play_out(with_lamps(recording, until=10.0), parameters)
    objects = state.object_positions[state.confirmed]
    near = np.linalg.norm(objects[None] - LAMPS[:, None], axis=2) < 0.6
    assert near.sum() <= 1


def test_without_lamps_nothing_is_born_of_hovering_drones(flight):
    recording, parameters = flight
    _, state = play_out(recording, parameters)
    assert not state.confirmed.any()
