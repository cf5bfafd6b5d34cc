"""A drone whose odometry is silent is followed by sightings, and the joint state waits for it."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.odometry.untold_motion import UntoldMotion
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.update.coupled_update import update_state
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import Sightings

PARAMETERS = FilterParameters(max_hypotheses=4, max_objects=0, clutter_per_frame=0.3)
VARIANCE = 0.25


def silent_state():
    """Return two drones, the second 4 m ahead of the first and silent."""
    start = np.array([[0.0, 0.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0]])
    state = initial_state(UNIX_BEGIN_NS, start, np.full((2, 4), 0.01), cameras=2)
    untold = UntoldMotion(np.zeros((2, 3)), np.array([[0.0] * 3, [VARIANCE] * 3]))
    return replace(state, active=np.ones(2, bool), pending=np.zeros(2, bool), untold=untold)


def after_scan(*positions):
    """Return the state after a scan of the first drone; positions are forward, left, up."""
    count = len(positions)
    forward, left, up = np.array(positions).reshape(-1, 3).T
    sightings = Sightings(
        observer='mav1', stamp_ns=UNIX_BEGIN_NS,
        positions=np.stack([-left, -up, forward], axis=1),
        bearing_var=np.full(count, 1e-4), range_var=np.full(count, 0.01),
    )  # fmt: skip
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))
    scan = CameraScan(
        sightings=sightings, observer=0, roll_pitch=np.zeros(2), mount=mount, camera=0
    )
    return update_state(silent_state(), scan, PARAMETERS, joint_association_events)[0]


def test_a_sighting_tells_where_the_drone_is_now_and_not_where_it_was():
    state = after_scan((4.5, 0.4, -0.2))
    np.testing.assert_allclose(state.team.mean[1, :3], [4.5, 0.4, -0.2], atol=0.06)
    assert np.diag(state.team.covariance)[4:7].max() < 0.1 * VARIANCE
    before = silent_state().hypotheses
    np.testing.assert_allclose(state.hypotheses.means, before.means, atol=1e-5)
    np.testing.assert_allclose(state.hypotheses.covariances, before.covariances, atol=1e-6)


def test_two_sightings_that_may_both_be_the_drone_leave_it_between_them_and_unsure():
    state = after_scan((4.0, 0.6, 0.0), (4.0, -0.6, 0.0))
    assert state.team.mean[1, 1] == pytest.approx(0.0, abs=0.02)
    assert 0.6**2 * 0.7 < np.diag(state.team.covariance)[5] < 0.6**2 * 1.2


def test_without_a_sighting_nothing_is_told():
    state, before = after_scan(), silent_state()
    np.testing.assert_array_equal(state.untold.mean, before.untold.mean)
    np.testing.assert_array_equal(state.untold.variance, before.untold.variance)
