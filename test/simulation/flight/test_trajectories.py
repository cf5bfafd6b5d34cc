"""Flight paths keep apart, can be flown, and are seeded."""

import numpy as np
import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.simulation.flight.trajectories import (
    GRAVITY,
    MAX_ACCELERATION,
    MAX_YAW_RATE,
    plan_flights,
)


@pytest.mark.parametrize('drones', [2, 4, 8])
def test_paths_keep_apart_and_inside_the_arena(drones):
    scenario = Scenario(drones=drones, seed=drones)
    time = np.arange(0.0, scenario.duration, 0.05)
    paths = plan_flights(scenario)
    positions = np.stack([p.position(time) for p in paths])
    for i in range(drones):
        for j in range(i):
            distance = np.linalg.norm(positions[i] - positions[j], axis=1).min()
            assert distance > 0.98 * scenario.separation
    half = scenario.arena / 2.0
    assert (np.abs(positions[..., :2]) < half[:2] + 0.5).all()
    assert (positions[..., 2] > 0.3).all()
    for path in paths:
        assert np.linalg.norm(path.acceleration(time), axis=1).max() < 1.05 * MAX_ACCELERATION


@pytest.mark.parametrize('seed', [8, 17])
def test_nobody_turns_faster_than_a_quadrotor_can(seed):
    """A ring so small that paths cross its middle, where the way to look changes at once."""
    scenario = load_scenario('close', seed=seed)
    time = np.arange(0.0, scenario.duration, 0.01)
    rates = [np.abs(np.diff(path.yaw(time))).max() / 0.01 for path in plan_flights(scenario)]
    assert max(rates) < 1.2 * MAX_YAW_RATE


def test_thrust_carries_gravity_and_acceleration():
    path = plan_flights(Scenario(seed=5))[0]
    time = np.linspace(0.0, 10.0, 20)
    rotation = path.rotation(time)
    thrust = path.acceleration(time) + np.array([0.0, 0.0, GRAVITY])
    in_body = np.einsum('kji,kj->ki', rotation, thrust)
    np.testing.assert_allclose(in_body[:, :2], 0.0, atol=1e-9)
    assert (in_body[:, 2] > 0).all()
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0)


def test_same_seed_same_flight_other_seed_other_flight():
    now = np.array([3.0])
    one, same, other = (plan_flights(Scenario(seed=s))[1].position(now) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.linalg.norm(one - other) > 0.01


@pytest.mark.parametrize('bad', [{'drones': 1}, {'duration': 0.0}, {'odometry_rate': 1.0}])
def test_impossible_scenarios_are_refused(bad):
    with pytest.raises(ConfigurationError):
        Scenario(**bad)
