"""Odometry alone: where a VIO restarted, the path without its leaps, and where it begins."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.odometry_paths import joined, restarts_of, vio_alone
from mav_perception.geometry import wrap_angle
from mav_perception.localization.odometry.history import OdometryHistory
from mav_perception.localization.parameters import FilterParameters
from mav_perception.simulation.flight.flight import fly
from mav_perception.simulation.flight.scenario_files import load_scenario


@pytest.fixture(scope='module')
def reset():
    return fly(load_scenario('reset', seed=1))


def test_restarts_are_those_that_the_filter_finds(reset):
    found = 0
    for drone, samples in enumerate(reset.odometry):
        history, told = OdometryHistory(600.0), []
        for sample in samples:
            if history.add(sample, FilterParameters()).notice:
                told.append(sample.stamp_ns)
        path = reset.odometry_path(drone)
        assert path.stamps[restarts_of(path)].tolist() == told
        found += len(told)
        ours, theirs = joined(path, restarts_of(path)).poses, history.path(path.stamps)
        np.testing.assert_allclose(ours[:, :3], theirs.position, atol=1e-6)
        np.testing.assert_allclose(wrap_angle(ours[:, 3] - theirs.yaw), 0.0, atol=1e-6)
    assert found >= 1


def test_a_steady_vio_never_restarts():
    recording = fly(load_scenario('nominal', seed=3))
    for drone in range(4):
        path = recording.odometry_path(drone)
        assert not len(restarts_of(path))
        assert joined(path, restarts_of(path)).poses.tolist() == path.poses.tolist()


def test_who_joins_late_by_vio_alone_begins_where_it_is_then():
    recording = fly(load_scenario('late', seed=0))
    late = max(range(3), key=lambda drone: recording.odometry[drone][0].stamp_ns)
    begin = recording.odometry[late][0].stamp_ns
    assert begin > recording.begin_ns + 15 * 10**9
    sigma = recording.team.start_sigma.copy()
    sigma[late] = np.nan
    unknown = replace(recording, team=replace(recording.team, start_sigma=sigma))
    stamps = np.arange(begin, recording.end_ns, 10**8)
    off = vio_alone(unknown, late, stamps) - recording.truth[late].at(stamps)
    distance = np.linalg.norm(off[:, :3], axis=1)
    assert distance[0] < 0.05
    assert distance.max() < 1.5
