"""Simulated VIO and sightings have the statistics that they claim."""

import numpy as np
import pytest

from mav_perception.cameras.models import PinholeCamera
from mav_perception.evaluation.metrics.team_errors import sample_stamps
from mav_perception.evaluation.playback import dead_reckoning, sample_estimate
from mav_perception.localization.team.team_file import load_team, save_team, team_from_entries
from mav_perception.recordings.recording import sample_truth
from mav_perception.simulation.flight.flight import fly, scenario_team
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.sensors import OdometryNoise, SightingNoise
from mav_perception.simulation.flight.sightings import draw_sightings

CAMERA = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)


def test_noiseless_odometry_carries_the_start_along_the_truth():
    quiet = OdometryNoise(0.0, 0.0, 0.0, 0.0, 0.0)
    scenario = Scenario(
        drones=3, duration=10.0, odometry_noise=quiet, start_sigma=(0.0,) * 4, seed=4
    )
    recording = fly(scenario)
    stamps = sample_stamps(recording.begin_ns, recording.end_ns)
    error = sample_estimate(recording, dead_reckoning(recording), stamps) - sample_truth(
        recording, stamps
    )
    assert np.abs(error[..., :3]).max() < 0.01  # linear interpolation between samples


def test_drift_grows_with_the_way_flown():
    errors = []
    for seed in range(6):
        recording = fly(Scenario(duration=40.0, seed=seed, start_sigma=(0.0,) * 4))
        stamps = recording.begin_ns + np.array([5, 40]) * 10**9 - 10**8
        estimate = sample_estimate(recording, dead_reckoning(recording), stamps)
        errors.append(
            np.linalg.norm((estimate - sample_truth(recording, stamps))[..., :3], axis=2)
        )
    early, late = np.mean(errors, axis=(0, 2))
    assert late > 1.5 * early


def test_sightings_have_the_claimed_statistics():
    noise = SightingNoise(0.02, 0.1, 0.7, 0.8)
    rng = np.random.default_rng(0)
    target = np.array([[0.5, 0.2, 4.0], [0.0, 0.0, -4.0]])  # the second one is behind
    ranges, angles, clutter = [], [], 0
    frames = 4000
    for _ in range(frames):
        frame = draw_sightings('mav1', 0, target, np.array([1, 2]), CAMERA, noise, rng)
        clutter += int((frame.labels == -1).sum())
        assert 2 not in frame.labels
        for point in frame.sightings.positions[frame.labels == 1]:
            ranges.append(np.linalg.norm(point) / np.linalg.norm(target[0]) - 1.0)
            cosine = point @ target[0] / np.linalg.norm(point) / np.linalg.norm(target[0])
            angles.append(np.arccos(min(cosine, 1.0)))
    assert len(ranges) / frames == pytest.approx(0.7, abs=0.03)
    assert clutter / frames == pytest.approx(0.8, abs=0.06)
    assert np.std(ranges) == pytest.approx(0.1, rel=0.05)
    assert np.sqrt(np.mean(np.square(angles)) / 2.0) == pytest.approx(0.02, rel=0.05)


def test_the_team_file_of_a_scenario_survives_the_disk(tmp_path):
    entries = scenario_team(Scenario(drones=3, seed=2))
    save_team(entries, tmp_path / 'team.yaml')
    again = load_team(tmp_path / 'team.yaml')
    assert again == entries
    recording = fly(Scenario(drones=3, seed=2, duration=1.0))
    np.testing.assert_array_equal(team_from_entries(again).start, recording.team.start)
