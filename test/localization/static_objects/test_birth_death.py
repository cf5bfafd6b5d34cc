"""Birth and death of static objects, scan by scan."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.odometry.rows import COLUMNS, POSITION, OdometryRows
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.static_objects.birth_death import (
    BIRTH_EXISTENCE,
    MIN_EXISTENCE,
    MIN_SIGHTINGS,
    MIN_SPAN,
    update_static_objects,
)
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.types import Sightings, nanoseconds

PARAMETERS = FilterParameters(clutter_per_frame=0.3, learn_rates=False)
FORWARD = CameraMount.forward(np.zeros(3), np.zeros(3))
LAMP, ASIDE = np.array([4.0, 0.5, 1.0]), np.array([0.0, 1.0, 0.0])
BEGIN = 1.8e9
"""Seconds: real robots have Unix stamps."""


def begin(drones=2):
    state = initial_state(0, np.zeros((drones, 4)), np.full((drones, 4), 0.01), cameras=drones)
    return replace(state, active=np.ones(drones, bool), pending=np.zeros(drones, bool))


def look(state, time, points, x=0.0, parameters=PARAMETERS, unexplained=1.0):
    """Let the first drone, at (x, 0, 0), see points of map that nothing explains."""
    row = np.zeros(COLUMNS)
    row[POSITION] = x, 0.0, 0.0
    stamp_ns = nanoseconds(BEGIN) + nanoseconds(time)
    mean = state.hypotheses[0].mean.copy()
    mean[0] = x
    state = replace(
        state,
        stamp_ns=stamp_ns,
        anchors=state.anchors.with_row(0, OdometryRows(np.asarray(stamp_ns), row)),
        hypotheses=(replace(state.hypotheses[0], mean=mean),),
    )
    offset = np.atleast_2d(points) - [x, 0.0, 0.0]
    optical = np.column_stack([-offset[:, 1], -offset[:, 2], offset[:, 0]])
    count = len(optical)
    sightings = Sightings(
        observer='mav1', stamp_ns=state.stamp_ns, positions=optical,
        bearing_var=np.full(count, 1e-4), range_var=np.full(count, 0.01),
    )  # fmt: skip
    scan = CameraScan(
        sightings=sightings, observer=0, roll_pitch=np.zeros(2), mount=FORWARD, camera=0
    )
    return update_static_objects(state, scan, np.full(count, unexplained), parameters)


def test_an_object_is_born_where_sightings_agree_although_the_observer_moves():
    state = begin()
    for k in range(6):
        state = look(state, 0.1 * k, LAMP, x=0.05 * k)
    assert len(state.objects) == 1
    np.testing.assert_allclose(state.object_positions[0], LAMP, atol=0.05)
    assert state.hypotheses[0].existence[0] == BIRTH_EXISTENCE
    assert len(state.hypotheses[0].mean) == 4 * 2 + 3
    # It is tied to its observer, whose error moves it along.
    assert state.hypotheses[0].covariance[0, 8] > 0.0
    assert np.linalg.eigvalsh(state.hypotheses[0].covariance).min() > 0.0


def test_it_takes_enough_sightings_over_enough_time():
    state = begin()
    for k in range(MIN_SIGHTINGS + 5):
        state = look(state, k * MIN_SPAN / 20.0, LAMP)
    assert len(state.objects) == 0  # many, but all at once
    state = begin()
    for k in range(MIN_SIGHTINGS - 1):
        state = look(state, 1.0 * k, LAMP)
    assert len(state.objects) == 0
    assert len(look(state, 3.0, LAMP).objects) == 1


def test_what_moves_and_what_is_explained_is_no_object():
    state = begin()
    for k in range(30):
        state = look(state, 0.1 * k, LAMP + (0.3 * k - 4.0) * ASIDE)
    assert len(state.objects) == 0
    state = begin()
    for k in range(30):
        state = look(state, 0.1 * k, LAMP, unexplained=0.1)
    assert len(state.objects) == 0


@pytest.mark.parametrize('room', [0, 1, 5])
def test_there_are_never_more_than_the_room_for_them(room):
    parameters = replace(PARAMETERS, max_objects=room)
    lamps = np.array([LAMP, LAMP + ASIDE, LAMP - 1.5 * ASIDE])
    state = begin()
    for k in range(6):  # after that the update would explain them
        state = look(state, 0.1 * k, lamps, parameters=parameters)
    assert len(state.objects) == min(room, 3)


def test_an_object_that_frames_deny_is_taken_out_of_the_state():
    lamps = np.array([LAMP, LAMP + ASIDE])
    state = begin()
    for k in range(6):  # after that the update would explain them
        state = look(state, 0.1 * k, lamps)
    assert len(state.objects) == 2
    kept = state.object_positions[1]
    denied = replace(state.hypotheses[0], existence=np.array([0.9 * MIN_EXISTENCE, 0.9]))
    state = look(replace(state, hypotheses=(denied,)), 2.0, np.zeros((0, 3)))
    assert len(state.objects) == len(state.hypotheses[0].existence) == 1
    np.testing.assert_array_equal(state.object_positions[0], kept)
    assert state.hypotheses[0].covariance.shape == (11, 11)
