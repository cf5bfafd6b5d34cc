"""Lazy propagation of the joint state."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.odometry.history import RESTART_GAP
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.odometry.untold_motion import UntoldMotion
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.prediction.motion import propagate
from mav_perception.localization.state import initial_state
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import OdometrySample, nanoseconds


def at(time):
    """Return the stamp of a time in seconds, on a day on which robots fly."""
    return UNIX_BEGIN_NS + nanoseconds(time)


PARAMETERS = FilterParameters()


def sample(time, x=0.0, y=0.0, z=0.0, yaw=0.0):
    return OdometrySample(at(time), np.array([x, y, z]), quaternion_from_euler([0.0, 0.0, yaw]))


def random_walk(rng, count=50):
    xyz = np.cumsum(rng.normal(0, 0.1, (count, 3)), axis=0)
    yaw = np.cumsum(rng.normal(0, 0.1, count))
    return [sample(0.1 * k, *xyz[k], yaw=yaw[k]) for k in range(count)]


def random_odometry(rng):
    odometry = TeamOdometry(2)
    for drone in range(2):
        for item in random_walk(rng):
            odometry.add(drone, item, PARAMETERS)
    return odometry


def state_at(odometry, stamp, mean=None, covariance=None):
    mean = np.zeros((2, 4)) if mean is None else mean
    start = initial_state(stamp, mean, np.ones((2, 4)), 2)
    covariance = start.hypotheses.covariances[0] if covariance is None else covariance
    size = len(covariance)
    vector = np.concatenate([mean.ravel(), np.arange(size - 8.0)])
    objects = (size - 8) // 3
    only = JointHypotheses(
        weights=np.ones(1), means=vector[None], covariances=covariance[None],
        existence=np.ones((1, objects)), detectable=np.full((1, 2, 2 + objects), np.nan),
    )  # fmt: skip
    return replace(
        start,
        hypotheses=only,
        anchors=odometry.rows(stamp),
        active=np.ones(2, bool),
        pending=np.zeros(2, bool),
    )


def test_the_covariance_moves_with_the_jacobian_by_finite_differences():
    rng = np.random.default_rng(5)
    odometry = random_odometry(rng)
    mean, root = rng.uniform(-1, 1, (2, 4)), rng.standard_normal((8, 8))
    begin, end = at(0.5), at(3.2)

    def moved(x, covariance):
        start = state_at(odometry, begin, x.reshape(2, 4), covariance)
        return propagate(start, end, odometry.rows(end), PARAMETERS).hypotheses

    def noise_free(x):
        return moved(x, np.eye(8)).means[0]

    step = 1e-6
    columns = [
        (noise_free(mean.ravel() + step * axis) - noise_free(mean.ravel() - step * axis))
        / (2.0 * step)
        for axis in np.eye(8)
    ]
    jacobian = np.column_stack(columns)
    noise = moved(mean.ravel(), np.zeros((8, 8))).covariances[0]
    expected = jacobian @ root @ root.T @ jacobian.T + noise
    found = moved(mean.ravel(), root @ root.T).covariances[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(jacobian - np.eye(8)).max() > 0.1


def test_propagating_in_two_steps_equals_one_step():
    rng = np.random.default_rng(0)
    odometry = random_odometry(rng)
    root = rng.standard_normal((8, 8))
    start = state_at(odometry, at(0.5), rng.uniform(-1, 1, (2, 4)), root @ root.T)
    middle, end = at(1.73), at(3.21)
    once = propagate(start, end, odometry.rows(end), PARAMETERS)
    half = propagate(start, middle, odometry.rows(middle), PARAMETERS)
    twice = propagate(half, end, odometry.rows(end), PARAMETERS)
    np.testing.assert_allclose(twice.team.mean, once.team.mean, atol=1e-12)
    # Noise of the first leg turns into position on the second, so the two differ by that alone.
    np.testing.assert_allclose(
        np.diag(twice.team.covariance), np.diag(once.team.covariance), rtol=2e-3, atol=1e-3
    )


def test_static_objects_stay_but_keep_their_tie_to_a_drone_that_turns():
    rng = np.random.default_rng(2)
    odometry = random_odometry(rng)
    root = rng.standard_normal((11, 11))
    start = state_at(odometry, 0, np.zeros((2, 4)), root @ root.T)
    end = at(3.0)
    moved = propagate(start, end, odometry.rows(end), PARAMETERS).hypotheses
    before = start.hypotheses
    np.testing.assert_array_equal(moved.means[0, 8:], before.means[0, 8:])
    after, covariance = moved.covariances[0], before.covariances[0]
    np.testing.assert_array_equal(after[8:, 8:], covariance[8:, 8:])
    np.testing.assert_allclose(after, after.T, atol=1e-12)
    assert np.abs(after[8:, :2] - covariance[8:, :2]).max() > 0.01


def test_each_hypothesis_moves_as_it_would_alone():
    rng = np.random.default_rng(3)
    odometry = random_odometry(rng)
    roots = rng.standard_normal((2, 8, 8))
    alone = [
        state_at(odometry, at(0.5), rng.uniform(-1, 1, (2, 4)), root @ root.T) for root in roots
    ]
    fields = ('means', 'covariances', 'existence', 'detectable')
    both = JointHypotheses(
        np.array([0.6, 0.4]),
        *(np.concatenate([getattr(s.hypotheses, name) for s in alone]) for name in fields),
    )
    rows = odometry.rows(at(3.0))
    together = propagate(replace(alone[0], hypotheses=both), at(3.0), rows, PARAMETERS).hypotheses
    for index, state in enumerate(alone):
        moved = propagate(state, at(3.0), rows, PARAMETERS).hypotheses
        np.testing.assert_allclose(together.means[index], moved.means[0], atol=1e-12)
        np.testing.assert_allclose(together.covariances[index], moved.covariances[0], atol=1e-12)


def test_motion_during_an_outage_is_used_when_the_odometry_comes_back():
    odometry = TeamOdometry(2)
    for drone in range(2):
        odometry.add(drone, sample(0), PARAMETERS)
    start = state_at(odometry, at(0), covariance=1e-4 * np.eye(8))
    odometry.add(1, sample(5), PARAMETERS)
    silent = propagate(start, at(5), odometry.rows(at(5)), PARAMETERS)
    np.testing.assert_allclose(silent.team.mean[0], 0.0)
    variance = silent.untold.variance[0, 0]
    assert variance == pytest.approx(5.0 * PARAMETERS.gap_position_noise**2)
    assert silent.team.covariance[0, 0] > 1.0 > silent.team.covariance[4, 4]
    assert silent.hypotheses.covariances[0, 0, 0] < 1e-3  # what is known of where it was
    assert silent.anchors.stamps.tolist() == [at(0), at(5)]
    odometry.add(0, sample(6, x=3.0, yaw=0.6), PARAMETERS)
    odometry.add(1, sample(6), PARAMETERS)
    back = propagate(silent, at(6), odometry.rows(at(6)), PARAMETERS)
    np.testing.assert_allclose(back.team.mean[0], [3, 0, 0, 0.6], atol=1e-12)
    assert not back.silent.any()
    assert back.team.covariance[0, 0] < 0.1


def followed(odometry, time, variance):
    """Return two silent drones, the first of which sightings have followed to 3 m, 1 m."""
    for drone in range(2):
        odometry.add(drone, sample(0, x=2.0), PARAMETERS)
    start = state_at(odometry, at(0), covariance=1e-4 * np.eye(8))
    silent = propagate(start, at(time), odometry.rows(at(time)), PARAMETERS)
    went = np.array([[3.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    return replace(silent, untold=UntoldMotion(went, np.full((2, 3), variance)))


def test_a_vio_that_restarts_goes_on_where_the_drone_was_seen_meanwhile():
    odometry = TeamOdometry(2)
    silent = followed(odometry, 5, 0.01)
    np.testing.assert_allclose(silent.team.mean[0], [3, 1, 0, 0])
    for drone in range(2):
        odometry.add(drone, sample(5.1), PARAMETERS)
    back = propagate(silent, at(5.1), odometry.rows(at(5.1)), PARAMETERS)
    np.testing.assert_allclose(back.hypotheses.means[0, :4], [3, 1, 0, 0])
    assert not back.silent.any()
    since_seen = (0.1 + RESTART_GAP) * PARAMETERS.gap_position_noise**2
    assert back.team.covariance[0, 0] == pytest.approx(since_seen + 0.01, abs=0.002)


def test_a_restart_that_comes_late_tells_nothing_twice():
    odometry = TeamOdometry(2)
    silent = followed(odometry, 9.5, 0.02)
    for drone in range(2):
        odometry.add(drone, sample(1.0), PARAMETERS)  # a backlog: it began anew 8.5 s ago
    late = propagate(silent, at(9.6), odometry.rows(at(9.6)), PARAMETERS)
    assert np.linalg.eigvalsh(late.hypotheses.covariances[0]).min() > 0.0
    np.testing.assert_allclose(late.hypotheses.means[0, :4], 0.0)
    assert late.silent.all()
