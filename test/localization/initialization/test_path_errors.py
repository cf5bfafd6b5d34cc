"""A fit by sightings that were seen together is off as the odometry has drifted since."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.initialization.frame_buffer import StackedScans
from mav_perception.localization.initialization.known_drones import KnownDrones
from mav_perception.localization.initialization.path_errors import path_covariance
from mav_perception.localization.initialization.pose_constraints import PointPairs
from mav_perception.localization.initialization.pose_refinement import refine
from mav_perception.localization.initialization.reference_errors import fit_gains

SCANS, DRONES, SIGMA = 40, 2, 0.05
POSES = np.array([[0.5, -1.0, 0.2, 0.4], [2.0, 3.0, 1.0, 0.7]])
STEP = np.array([0.05, 0.05, 0.02, 0.02])
"""Standard deviations that odometry adds between two scans."""


def ways(rng):
    """Return the way back of both drones in their frames now, by time."""
    angle = np.linspace(0.0, 3.0, SCANS)[::-1]
    first = np.column_stack([-2.0 * np.sin(angle), 1.0 - np.cos(angle), 0.2 * angle])
    second = np.column_stack([np.cos(2.0 * angle) - 1.0, 2.0 * np.sin(angle), -0.1 * angle])
    return np.stack([first, second]) + rng.normal(0.0, 0.1, (2, SCANS, 3))


def scans_of(back):
    """Return scans in which odometry of both drones drifts from now back."""
    drift = STEP**2 * np.arange(SCANS, 0, -1)[:, None]
    empty = np.zeros(0)
    names = StackedScans.__dataclass_fields__
    return StackedScans(
        **dict.fromkeys(names, empty)
        | {
            'stamps': np.arange(SCANS),
            'scan': np.arange(SCANS),
            'back': back,
            'drift': np.tile(drift, (DRONES, 1, 1)),
            'turned': np.zeros((DRONES, SCANS)),
            'poses': np.full((DRONES, SCANS, 4), np.nan),
            'variances': np.zeros((DRONES, SCANS, 4)),
            'reach': np.zeros((DRONES, SCANS)),
            'path_known': np.ones((DRONES, SCANS), bool),
        }
    )


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


def sightings_at(back, rng, seen, drifts):
    """Return pairs as odometry tells of them, of sightings where the drones were in truth."""
    (mine, _), (other, turned) = (drifted(back[d], rng, drifts[d]) for d in (1, 0))
    turn, there = yaw_rotation(POSES[1, 3]), yaw_rotation(POSES[0, 3])
    offset = POSES[1, :3] + mine @ turn.T - (POSES[0, :3] + other @ there.T)
    offset = np.einsum('nji,nj->ni', yaw_rotation(turned), offset)  # as the observer has it
    offset += rng.normal(0.0, SIGMA, offset.shape)
    told = POSES[0, :3] + back[0] @ there.T + offset
    return PointPairs(
        body_points=back[1][seen],
        map_points=told[seen],
        precision=np.tile(np.eye(3) / SIGMA**2, (len(seen), 1, 1)),
        own=np.zeros(len(seen), bool),
        reference=np.zeros(len(seen), np.int64),
        log_peak_ratio=np.full(len(seen), 200.0),
        explained=np.zeros(len(seen)),
        sighting=seen,
        weight=np.ones(len(seen)),
    )


def added(pairs, gains, scans, pose):
    known = KnownDrones(POSES, np.zeros((2, 4)), np.array([True, False]), np.zeros((0, 3)))
    return path_covariance(pairs, gains, scans, 1, pose, known, known.paths(scans))


@pytest.mark.parametrize('drifts', [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
@pytest.mark.parametrize('seen', [np.arange(SCANS), np.arange(3, 13)])
def test_the_covariance_is_that_of_the_errors(drifts, seen):
    rng = np.random.default_rng(7)
    back = ways(rng)
    scans = scans_of(back)
    scans = replace(scans, drift=scans.drift * np.array(drifts)[:, None, None])
    squared = []
    for _ in range(300):
        pairs = sightings_at(back, rng, seen, drifts)
        poses, covariances = refine(pairs, POSES[1:], static=False)
        pose, gains = poses[0], fit_gains(pairs, poses[0], covariances[0])
        error = pose - POSES[1]
        error[3] = wrap_angle(error[3])
        covariance = covariances[0] + added(pairs, gains, scans, pose)
        squared.append(error @ np.linalg.solve(covariance, error) / 4.0)
    assert 0.8 < np.mean(squared) < 1.25


def test_nothing_is_added_where_odometry_does_not_drift():
    rng = np.random.default_rng(0)
    back = ways(rng)
    scans = replace(scans_of(back), drift=np.zeros((DRONES, SCANS, 4)))
    pairs = sightings_at(back, rng, np.arange(SCANS), (0.0, 0.0))
    poses, covariances = refine(pairs, POSES[1:], static=False)
    gains = fit_gains(pairs, poses[0], covariances[0])
    assert not added(pairs, gains, scans, poses[0]).any()


def test_a_reference_that_the_filter_followed_has_drifted_no_more_than_it_says():
    rng = np.random.default_rng(0)
    scans = scans_of(ways(rng))
    scans = replace(scans, drift=scans.drift * np.array([100.0, 0.0])[:, None, None])
    pairs = sightings_at(scans.back, rng, np.arange(SCANS), (0.0, 0.0))
    poses, covariances = refine(pairs, POSES[1:], static=False)
    gains = fit_gains(pairs, poses[0], covariances[0])
    by_odometry = added(pairs, gains, scans, poses[0])
    there = np.concatenate(
        [
            POSES[:1, None, :3] + scans.back[:1] @ yaw_rotation(POSES[0, 3]).T,
            np.full((1, SCANS, 1), POSES[0, 3]),
        ],
        axis=2,
    )
    followed = replace(
        scans,
        poses=np.concatenate([there, scans.poses[1:]]),
        variances=np.full((DRONES, SCANS, 4), 1e-4),
    )
    assert np.trace(added(pairs, gains, followed, poses[0])) < 0.05 * np.trace(by_odometry)
