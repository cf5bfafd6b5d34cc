"""Birth and death of static objects, scan by scan."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.hypotheses import JointHypotheses
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.static_objects.birth_death import (
    MIN_EXISTENCE,
    update_static_objects,
)
from mav_perception.localization.static_objects.static_objects import MIN_SHARE, PRIOR_SHARE
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.update.coupled_update import update_state
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import Sightings, nanoseconds

PARAMETERS = FilterParameters(clutter_per_frame=0.3, learn_rates=False)
FORWARD = CameraMount.forward(np.zeros(3), np.zeros(3))
LAMP, ASIDE = np.array([4.0, 0.5, 1.0]), np.array([0.0, 1.0, 0.0])


def begin():
    """Return two drones, the second behind the first."""
    start = np.array([[0.0, 0.0, 0.0, 0.0], [-5.0, 0.0, 0.0, 0.0]])
    state = initial_state(UNIX_BEGIN_NS, start, np.full((2, 4), 0.01), cameras=2)
    both = np.ones(2, bool)
    met_ns = np.full(2, UNIX_BEGIN_NS)
    return replace(state, active=both, pending=~both, last_met_ns=met_ns)


def scan_of(state, points):
    """Let the first drone, at the origin, see points of map."""
    points = np.reshape(points, (-1, 3))
    optical = np.column_stack([-points[:, 1], -points[:, 2], points[:, 0]])
    count = len(optical)
    sightings = Sightings(
        observer='mav1', stamp_ns=state.stamp_ns, positions=optical,
        bearing_var=np.full(count, 1e-4), range_var=np.full(count, 0.01),
    )  # fmt: skip
    return CameraScan(
        sightings=sightings, observer=0, roll_pitch=np.zeros(2), mount=FORWARD, camera=0
    )


def first_look(state, points, unexplained=1.0, parameters=PARAMETERS):
    """Let nothing known explain the points."""
    scan = scan_of(state, points)
    share = np.full((len(state.hypotheses), len(scan.sightings)), unexplained)
    return update_static_objects(state, scan, share, parameters)


def look(state, time, points, parameters=PARAMETERS):
    """Update with a scan at a time in seconds."""
    state = replace(state, stamp_ns=UNIX_BEGIN_NS + nanoseconds(time))
    return update_state(state, scan_of(state, points), parameters, joint_association_events)[0]


def test_the_first_sighting_makes_an_object_that_hardly_exists_tied_to_its_observer():
    state = first_look(begin(), LAMP)
    assert len(state.objects) == 1
    np.testing.assert_allclose(state.object_positions[0], LAMP, atol=1e-9)
    assert state.hypotheses.existence[0, 0] == PRIOR_SHARE
    assert not state.confirmed.any()
    assert state.hypotheses.means.shape == (1, 4 * 2 + 3)
    # It is tied to its observer, whose error moves it along.
    assert state.hypotheses.covariances[0, 0, 8] > 0.0
    assert np.linalg.eigvalsh(state.hypotheses.covariances[0]).min() > 0.0


def test_the_range_of_a_thing_of_unknown_size_is_not_known():
    sized = first_look(begin(), LAMP).hypotheses.covariances[0, 8:, 8:]
    parameters = replace(PARAMETERS, object_size_sigma=1.0)
    unsized = first_look(begin(), LAMP, parameters=parameters).hypotheses.covariances[0, 8:, 8:]
    along = LAMP / np.linalg.norm(LAMP)
    across = np.cross(along, [0.0, 0.0, 1.0])
    assert along @ unsized @ along > (0.8 * np.linalg.norm(LAMP)) ** 2 > along @ sized @ along
    np.testing.assert_allclose(across @ unsized @ across, across @ sized @ across, rtol=1e-6)


def test_it_exists_where_nobody_else_gave_the_sighting():
    """Under the hypothesis that a drone was seen there is no object."""
    state = begin()
    h = state.hypotheses
    twice = JointHypotheses(
        np.array([0.7, 0.3]), h.means[[0, 0]], h.covariances[[0, 0]], h.existence[[0, 0]],
        h.detectable[[0, 0]],
    )  # fmt: skip
    state = replace(state, hypotheses=twice)
    state = update_static_objects(
        state, scan_of(state, LAMP), np.array([[1.0], [0.0]]), PARAMETERS
    )
    np.testing.assert_allclose(state.hypotheses.existence[:, 0], [PRIOR_SHARE, 0.0])


def test_sightings_that_agree_confirm_an_object_and_others_do_not():
    state, moving = begin(), begin()
    for k in range(8):
        state = look(state, 0.25 * k, LAMP)
        moving = look(moving, 0.25 * k, LAMP + (0.5 * k - 2.0) * ASIDE)
    assert state.confirmed.sum() == 1
    np.testing.assert_allclose(state.object_positions[state.confirmed][0], LAMP, atol=0.05)
    assert state.hypotheses.mean_existence.max() > 0.99
    assert not moving.confirmed.any()


def test_while_a_drone_has_no_pose_nothing_begins():
    state = replace(begin(), active=np.array([True, False]))
    assert len(first_look(state, LAMP).objects) == 0


def test_what_is_explained_is_no_object():
    assert len(first_look(begin(), LAMP, unexplained=0.05).objects) == 0


@pytest.mark.parametrize('room', [0, 1, 5])
def test_there_are_never_more_than_the_room_for_them(room):
    parameters = replace(PARAMETERS, max_objects=room)
    lamps = np.array([LAMP, LAMP + ASIDE, LAMP - 1.5 * ASIDE])
    state = begin()
    for k in range(6):
        state = look(state, 0.25 * k, lamps, parameters)
        assert len(state.objects) <= room
    assert state.confirmed.sum() == min(room, 3)


def test_where_all_is_clutter_a_sighting_hardly_begins_an_object_and_where_lamps_are_it_does():
    rng = np.random.default_rng(0)
    state, lit = begin(), begin()
    lamps = LAMP + np.outer(np.linspace(-2.0, 2.0, 7), ASIDE)
    for k in range(60):
        state = look(state, 0.25 * k, LAMP + rng.uniform(-2.0, 2.0, (2, 3)))
        lit = look(lit, 0.25 * k, lamps[: 1 + k // 8])
    assert MIN_SHARE <= state.objects.birth_probability < 0.1
    assert lit.objects.birth_probability > PRIOR_SHARE


def test_an_object_that_scans_deny_is_taken_out_of_the_state():
    state = first_look(begin(), np.array([LAMP, LAMP + ASIDE]))
    kept = state.object_positions[1]
    denied = replace(state.hypotheses, existence=np.array([[0.9 * MIN_EXISTENCE, 0.9]]))
    state = first_look(replace(state, hypotheses=denied), np.zeros((0, 3)))
    assert len(state.objects) == state.hypotheses.existence.shape[1] == 1
    np.testing.assert_array_equal(state.object_positions[0], kept)
    assert state.hypotheses.covariances.shape == (1, 11, 11)
    assert state.last_seen_ns.shape == (2, 3)
