"""What a camera says by not seeing a drone, in the middle of its view and at its edge."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.update.coupled_update import update_state
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import Sightings, nanoseconds

PARAMETERS = FilterParameters(
    detection_probability=0.7, visible_probability=0.7, detection_correlation=0.0, max_objects=0,
    learn_rates=False, half_view_horizontal=0.8, displacement_rate=0.0, gate_probability=0.999999,
)  # fmt: skip
DISTANCE = 4.0


def misses(angle, frames, step=0.0, parameters=PARAMETERS):
    """Return view and log probability of each of a row of misses, and the state after them.

    Of a drone that may stand a tenth of a radian to either side of `angle` to the left.
    """
    place = DISTANCE * np.array([np.cos(angle), np.sin(angle), 0.0])
    start, sigma = np.zeros((2, 4)), np.full((2, 4), 1e-3)
    start[1, :3], sigma[1, :3] = place, 0.1 * DISTANCE
    state = initial_state(UNIX_BEGIN_NS, start, sigma, cameras=2)
    state = replace(state, active=np.ones(2, bool), pending=np.zeros(2, bool))
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))
    said, views = [], []
    for index in range(frames):
        stamp_ns = UNIX_BEGIN_NS + nanoseconds(step * index)
        nothing = Sightings('mav1', stamp_ns, np.zeros((0, 3)), np.zeros(0), np.zeros(0))
        scan = CameraScan(nothing, 0, np.zeros(2), mount, 0)
        state = replace(state, stamp_ns=stamp_ns)
        state, report = update_state(state, scan, parameters, joint_association_events)
        views.append(float(report.view_probability[0]))
        said.append(float(np.log1p(-report.detection_probability[0])))
    return views, np.array(said), state


def test_who_may_be_just_outside_the_view_is_not_denied_twice():
    (view, *_), said, _ = misses(0.85, 20)
    assert 0.2 < view < 0.45
    assert said[0] == pytest.approx(np.log(1.0 - 0.7 * view), abs=1e-4)
    # What is left in view for whoever comes in is 0.05 of it.
    outside, left = np.log(1.0 - view), np.log(1.0 - 0.05 * view)
    assert outside + 20.0 * left < said.sum() < 0.8 * outside


def test_in_the_middle_of_the_view_every_miss_counts():
    (view, *_), said, _ = misses(0.0, 6)
    assert view > 0.999
    assert said.sum() == pytest.approx(6.0 * np.log(0.3), rel=0.05)


def test_seconds_later_the_edge_cuts_off_another_part():
    _, at_once, _ = misses(0.85, 20)
    _, later, _ = misses(0.85, 20, step=5.0)
    assert later.sum() < 3.0 * at_once.sum()  # both are below zero


def test_a_drone_that_is_seen_again_may_be_missed_again():
    _, _, state = misses(0.85, 20)
    assert state.denied[0, 1] > 0.15
    at = DISTANCE * np.array([-np.sin(0.78), 0.0, np.cos(0.78)])
    seen = Sightings('mav1', state.stamp_ns, at[None], np.full(1, 1e-4), np.full(1, 0.01))
    scan = CameraScan(seen, 0, np.zeros(2), CameraMount.forward(np.zeros(3), np.zeros(3)), 0)
    state, report = update_state(state, scan, PARAMETERS, joint_association_events)
    assert report.marginal[0, 0] > 0.8
    assert state.denied[0, 1] == 0.0
