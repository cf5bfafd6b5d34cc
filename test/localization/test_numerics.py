"""The covariance stays symmetric positive definite, and nothing bad gets out."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.errors import InputError
from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.odometry.rows import DISTANCE, OdometryRows
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.prediction.motion import propagate
from mav_perception.localization.update.coupled_update import update_state
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import OdometrySample, Sightings, nanoseconds


def at(time):
    """Return the stamp of a time in seconds, on a day on which robots fly."""
    return UNIX_BEGIN_NS + nanoseconds(time)


UPDATES = 20_000


def started(pair_team, parameters):
    joint_filter = CoupledPdaFilter(pair_team, parameters)
    for time in (0.0, 0.5, 1.0):
        for name in pair_team.names:
            pose = np.zeros(3), quaternion_from_euler(np.zeros(3))
            joint_filter.add_odometry(name, OdometrySample(at(time), *pose))
    return joint_filter


@pytest.mark.flight
@pytest.mark.parametrize('bearing_sigma', [1e-4, 0.03])
def test_covariance_stays_positive_definite_over_many_updates(pair_team, bearing_sigma):
    parameters = FilterParameters(max_hypotheses=1, max_objects=0)
    state = started(pair_team, parameters).state
    rng = np.random.default_rng(0)
    point = np.array([0.05, 0.0, 3.9])
    for k in range(UPDATES):
        if k % 100 == 0:  # a long rest between bursts of frames, back and forth
            moved = state.anchors.values.copy()
            moved[:, 0] += 0.01 * (-1) ** (k // 100)
            moved[:, DISTANCE] += 0.01
            stamp_ns = state.stamp_ns + 1_000_000
            rows = OdometryRows(np.full(len(moved), stamp_ns), moved)
            state = propagate(state, stamp_ns, rows, parameters)
        noisy = point + rng.normal(0.0, bearing_sigma * 3.9, 3)
        sightings = Sightings(
            'mav1', state.stamp_ns, noisy[None], np.array([bearing_sigma**2]), np.array([0.01])
        )
        frame = CameraScan(sightings, 0, np.zeros(2), pair_team.mounts[0][0], 0)
        state, _ = update_state(state, frame, parameters, joint_association_events)
    covariance = state.team.covariance
    np.testing.assert_array_equal(covariance, covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > 0.0
    assert np.isfinite(state.team.mean).all()


def test_variances_near_zero_never_let_a_nan_out(pair_team):
    joint_filter = started(pair_team, FilterParameters())
    for k in range(20):
        sightings = Sightings(
            'mav1',
            at(0.5 + 0.01 * k),
            np.array([[0.0, 0.0, 3.9]]),
            np.array([1e-300]),
            np.array([1e-300]),
        )
        before = joint_filter.predict(at(1.0)).covariance.tobytes()
        try:
            joint_filter.update(sightings)
        except InputError:
            assert joint_filter.predict(at(1.0)).covariance.tobytes() == before
        state = joint_filter.predict(at(1.0))
        assert np.isfinite(state.mean).all()
        assert np.linalg.eigvalsh(state.covariance).min() > 0.0


def test_a_refused_repetition_leaves_the_state_bit_identical(pair_team):
    joint_filter = started(pair_team, FilterParameters())
    good = Sightings(
        'mav1', at(0.8), np.array([[0.0, 0.0, 3.9]]), np.array([1e-3]), np.array([0.01])
    )
    joint_filter.update(good)
    before = joint_filter.state
    with pytest.raises(InputError):
        joint_filter.update(replace(good, stamp_ns=at(0.7), range_var=np.array([np.nan])))
    assert joint_filter.state is before
