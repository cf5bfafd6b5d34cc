"""A fit by sightings that were seen together is off as the odometry has drifted since."""

from dataclasses import fields, replace

import numpy as np
import pytest

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones
from mav_perception.localization.initialization.path_errors import path_covariance
from mav_perception.localization.initialization.pose_constraints import PointPairs
from mav_perception.localization.initialization.pose_refinement import covariance_at, refine
from mav_perception.localization.initialization.reference_errors import fit_gains

SCANS, DRONES, SIGMA = 40, 2, 0.05
POSES = np.array([[0.5, -1.0, 0.2, 0.4], [2.0, 3.0, 1.0, 0.7]])
STEP = np.array([0.03, 0.03, 0.01, 0.01])
"""Standard deviations that odometry adds between two scans."""


def ways(rng):
    """Return the way back of both drones in their frames now, by time; they do not turn."""
    angle = np.linspace(0.0, 3.0, SCANS)[::-1]
    first = np.column_stack([-2.0 * np.sin(angle), 1.0 - np.cos(angle), 0.2 * angle])
    second = np.column_stack([np.cos(2.0 * angle) - 1.0, 2.0 * np.sin(angle), -0.1 * angle])
    return np.stack([first, second]) + rng.normal(0.0, 0.1, (2, SCANS, 3))


def scans_of(back, drifts=(1.0, 1.0)):
    """Return scans in which odometry of both drones drifts from now back."""
    drift = STEP**2 * np.arange(SCANS, 0, -1)[:, None]
    values = {field.name: np.zeros(0) for field in fields(StackedScans)}
    values['stamps'] = values['scan'] = np.arange(SCANS)
    values['back'] = back
    values['drift'] = np.array(drifts)[:, None, None] * drift
    values['turned'] = values['reach'] = np.zeros((DRONES, SCANS))
    values['poses'] = np.full((DRONES, SCANS, 4), np.nan)
    values['variances'] = np.zeros((DRONES, SCANS, 4))
    values['path_known'] = np.ones((DRONES, SCANS), bool)
    return StackedScans(**values)


def drifted(way, rng, drifts):
    """Return a way as it was while odometry told another, and the yaw (F,) that it had besides.

    Every step errs, in place and yaw.
    """
    errors = rng.normal(0.0, STEP, (SCANS, 4)) * drifts
    true = way.copy()
    for k in range(SCANS):
        turn = yaw_rotation(errors[k, 3])
        true[: k + 1] = way[k] + (true[: k + 1] - way[k]) @ turn.T + errors[k, :3]
    return true, errors[::-1, 3].cumsum()[::-1]


def sightings_at(back, rng, seen, drifts, own=False):
    """Return pairs as odometry tells of them, of sightings where the drones were in truth.

    The known drone sees the other one, or, with `own`, the other way round.
    """
    turns = [yaw_rotation(pose[3]) for pose in POSES]
    paths = [drifted(way, rng, drift) for way, drift in zip(back, drifts, strict=True)]
    true = [p[:3] + way @ t.T for p, (way, _), t in zip(POSES, paths, turns, strict=True)]
    told = [p[:3] + way @ t.T for p, way, t in zip(POSES, back, turns, strict=True)]
    observer = int(own)
    offset = true[1 - observer] - true[observer]
    # An observer that was turned otherwise than it believes has the sighting elsewhere.
    offset = np.einsum('nji,nj->ni', yaw_rotation(paths[observer][1]), offset)
    offset = (offset + rng.normal(0.0, SIGMA, offset.shape))[seen]
    body, there = back[1][seen], told[0][seen]
    return PointPairs(
        body_points=body + offset @ turns[1] if own else body,
        map_points=there if own else there + offset,
        precision=np.tile(np.eye(3) / SIGMA**2, (len(seen), 1, 1)),
        own=np.full(len(seen), own),
        reference=np.zeros(len(seen), np.int64),
        log_peak_ratio=np.full(len(seen), 200.0),
        explained=np.zeros(len(seen)),
        sighting=seen,
        weight=np.ones(len(seen)),
    )


def fitted(pairs, scans):
    """Return the pose of the second drone, its covariance by the sightings, and by the paths."""
    pose = refine(pairs, POSES[1:], static=False)[0][0]
    covariance = covariance_at(pairs, pose)
    known = KnownDrones(POSES, np.zeros((2, 4)), np.array([True, False]), np.zeros((0, 3)))
    gains = fit_gains(pairs, pose, covariance)
    added = path_covariance(pairs, gains, scans, 1, pose, known, known.paths(scans))
    return pose, covariance, added


@pytest.mark.parametrize('own', [False, True])
@pytest.mark.parametrize('drifts', [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
@pytest.mark.parametrize('seen', [np.arange(SCANS), np.arange(3, 13)])
def test_the_covariance_is_that_of_the_errors(seen, drifts, own):
    rng = np.random.default_rng(7)
    back = ways(rng)
    scans = scans_of(back, np.square(drifts))
    squared = []
    for _ in range(200):
        pose, covariance, added = fitted(sightings_at(back, rng, seen, drifts, own), scans)
        error = pose - POSES[1]
        error[3] = wrap_angle(error[3])
        squared.append(error @ np.linalg.solve(covariance + added, error) / 4.0)
    assert 0.75 < np.mean(squared) < 1.3


def test_nothing_is_added_where_odometry_does_not_drift():
    rng = np.random.default_rng(0)
    scans = scans_of(ways(rng), (0.0, 0.0))
    assert not fitted(sightings_at(scans.back, rng, np.arange(SCANS), (0, 0)), scans)[2].any()


@pytest.mark.parametrize('without', [[], [20]])
def test_a_reference_that_the_filter_followed_has_drifted_no_more_than_it_says(without):
    rng = np.random.default_rng(0)
    scans = scans_of(ways(rng), (100.0, 0.0))
    pairs = sightings_at(scans.back, rng, np.delete(np.arange(SCANS), without), (0.0, 0.0))
    by_odometry = np.trace(fitted(pairs, scans)[2])
    poses, variances = scans.poses.copy(), scans.variances.copy()
    poses[0, :, :3] = POSES[0, :3] + scans.back[0] @ yaw_rotation(POSES[0, 3]).T
    poses[0, :, 3] = POSES[0, 3]
    variances[0, ::2], variances[0, 1::2] = 1e-4, 4e-4  # it sees somebody every other scan
    poses[0, without] = np.nan  # a scan that came late
    followed = fitted(pairs, replace(scans, poses=poses, variances=variances))[2]
    assert 1e-3 < np.trace(followed) < 0.02 < 0.05 * by_odometry
