"""A drone that is found relative to others is off as they are."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.initialization.pose_constraints import PointPairs
from mav_perception.localization.initialization.pose_refinement import refine
from mav_perception.localization.initialization.reference_errors import dependence, fit_gains
from mav_perception.localization.joining import with_drone
from mav_perception.localization.state import initial_state
from mav_perception.recordings.recording import UNIX_BEGIN_NS

REFERENCES = np.array([[0.0, 0.0, 0.0, 0.0], [4.0, 1.0, 0.5, 1.2], [0.0, 0.0, 0.0, 0.0]])
POSE = np.array([2.0, 3.0, 1.0, 0.7])
SIGMA = 0.1


def sightings_of_two():
    """Return pairs of two references, seen by them and by the drone itself."""
    rng = np.random.default_rng(3)
    count = 60
    here = rng.uniform(-2.0, 2.0, (count, 3))
    return PointPairs(
        body_points=here,
        map_points=POSE[:3] + here @ yaw_rotation(POSE[3]).T,
        precision=np.tile(np.diag([1.0, 2.0, 4.0]) / SIGMA**2, (count, 1, 1)),
        own=np.arange(count) % 3 == 0,
        reference=np.arange(count) % 2,
        log_peak_ratio=np.full(count, 12.0),
        explained=np.zeros(count),
        sighting=np.arange(count),
        weight=np.ones(count),
    )


def fitted(pairs):
    poses, covariances = refine(pairs, POSE[None], static=False)
    return poses[0], covariances[0]


def moved(pairs, drone, error):
    """Return the pairs as they are if the pose of a reference is off."""
    pose = REFERENCES[drone]
    points = pairs.map_points - pose[:3]
    off = pose[:3] + error[:3] + points @ yaw_rotation(error[3]).T
    mine = (pairs.reference == drone)[:, None]
    return replace(pairs, map_points=np.where(mine, off, pairs.map_points))


@pytest.mark.parametrize('drone', [0, 1])
@pytest.mark.parametrize('axis', range(4))
def test_the_fit_moves_with_an_error_of_a_reference(drone, axis):
    pairs = sightings_of_two()
    pose, covariance = fitted(pairs)
    ties = dependence(pairs, fit_gains(pairs, pose, covariance), REFERENCES)
    error = np.zeros(4)
    error[axis] = 0.01
    there, _ = fitted(moved(pairs, drone, error))
    change = there - pose
    change[3] = wrap_angle(change[3])
    expected = ties[:, 4 * drone : 4 * drone + 4] @ error
    np.testing.assert_allclose(change, expected, atol=5e-4)


def test_all_references_together_carry_the_drone_along():
    pairs = sightings_of_two()
    ties = dependence(pairs, fit_gains(pairs, *fitted(pairs)), REFERENCES)
    shift = np.tile([0.3, -0.2, 0.1, 0.0], 3)
    np.testing.assert_allclose(ties @ shift, [0.3, -0.2, 0.1, 0.0], atol=1e-3)
    assert not ties[:, 8:].any()  # nobody saw the third


def test_a_drone_that_is_put_in_keeps_its_ties():
    rng = np.random.default_rng(0)
    state = initial_state(UNIX_BEGIN_NS, np.zeros((3, 4)), np.full((3, 4), 0.2), 3)
    root = rng.normal(0.0, 0.1, (12, 12))
    joint = (root @ root.T)[None] + state.hypotheses.covariances
    state = replace(state, hypotheses=replace(state.hypotheses, covariances=joint))
    own, ties = 0.01 * np.eye(4), np.hstack([rng.normal(0.0, 0.5, (4, 8)), np.zeros((4, 4))])
    after = with_drone(state, 2, POSE, own, state.anchors[2], ties)
    covariance, others = after.hypotheses.covariances[0], joint[0, :8, :8]
    np.testing.assert_allclose(covariance[:8, :8], others)
    np.testing.assert_allclose(covariance[8:, :8], ties[:, :8] @ others)
    np.testing.assert_allclose(covariance[8:, 8:], own + ties[:, :8] @ others @ ties[:, :8].T)
    assert np.linalg.eigvalsh(covariance).min() > 0.0
