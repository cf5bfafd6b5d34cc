"""Pose modes: one planted pose is found among clutter, and misses speak against it."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.geometry import wrap_angle, yaw_rotation
from mav_perception.localization.initialization.pose_constraints import (
    PointPairs,
    shown_probability,
)
from mav_perception.localization.initialization.pose_modes import (
    PoseEvidence,
    find_modes,
    log_likelihood_ratio,
)
from mav_perception.localization.initialization.view_opportunities import (
    ViewOpportunities,
    in_view,
)
from mav_perception.localization.parameters import FilterParameters

PARAMETERS = FilterParameters(half_view_horizontal=0.8, half_view_vertical=0.7)
SIGMA = 0.05
OPTICAL = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])


def sharp(count):
    """Return nothing that blurs the edge of the view."""
    return dict.fromkeys(('position_var', 'bearing_var', 'range_var'), np.zeros(count))


def always(count):
    """Return scans by a camera at the origin, and by the drone of a target there, all around."""
    both = np.arange(2 * count)
    return ViewOpportunities(
        observer=np.zeros((2 * count, 3)), target=np.zeros((2 * count, 3)),
        yaw=np.zeros(2 * count), optical=np.tile(OPTICAL, (2 * count, 1, 1)),
        half_view=np.full((2 * count, 2), 4.0), own=both >= count, weight=np.ones(2 * count),
        **sharp(2 * count),
    )  # fmt: skip


def planted_pairs(pose, seed=0, true=40, false=40):
    """Return pairs that hold at a pose, half of them made by the drone, and pairs of clutter."""
    rng = np.random.default_rng(seed)
    here = rng.uniform(-3.0, 3.0, (true + false, 3))
    there = pose[:3] + here @ yaw_rotation(pose[3]).T + rng.normal(0.0, SIGMA, here.shape)
    there[true:] = rng.uniform(-10.0, 10.0, (false, 3))
    count = len(here)
    precision = np.broadcast_to(np.eye(3) / SIGMA**2, (count, 3, 3)).copy()
    # P_D 0.8 times the peak of the density, over a clutter density of 0.01 per cubic metre.
    strength = np.log(0.8 / 0.01) - 1.5 * np.log(2.0 * np.pi * SIGMA**2)
    return PointPairs(
        body_points=here, map_points=there, precision=precision, own=np.arange(count) % 2 == 0,
        reference=np.zeros(count, int),
        log_peak_ratio=np.full(count, strength), explained=np.zeros(count),
        sighting=np.arange(count), weight=np.ones(count),
    )  # fmt: skip


def modes_of(pairs, scans):
    return find_modes(PoseEvidence(pairs, scans, len(pairs.sighting), PARAMETERS))


@pytest.mark.parametrize(
    'pose', [[1.0, -2.0, 0.5, 0.0], [-6.0, 3.0, 1.5, 2.5], [4.0, 7.0, 2.0, -3.1]]
)
def test_the_planted_pose_is_the_likeliest_mode(pose):
    pose = np.array(pose)
    for seed in range(3):
        best, *others = find_modes(
            PoseEvidence(planted_pairs(pose, seed), always(80), 80, PARAMETERS)
        )
        assert np.linalg.norm(best.pose[:3] - pose[:3]) < 0.05
        assert abs(float(wrap_angle(best.pose[3] - pose[3]))) < 0.02
        assert np.sqrt(np.diag(best.covariance)).max() < 0.05
        assert best.evidence > 100.0
        assert all(mode.evidence < best.evidence - 50.0 for mode in others)
        # It explains the pairs that are its own and none of the clutter.
        assert (best.intensity_ratio[:40] > 1.0).mean() > 0.9
        assert (best.intensity_ratio[40:] > 1.0).mean() < 0.1


def test_clutter_alone_has_no_convincing_mode():
    pairs = planted_pairs(np.zeros(4), true=0, false=80)
    assert all(mode.evidence < 5.0 for mode in modes_of(pairs, always(80)))


def test_without_pairs_there_is_no_mode():
    assert (
        find_modes(
            PoseEvidence(planted_pairs(np.zeros(4), true=0, false=0), always(1), 0, PARAMETERS)
        )
        == []
    )


def in_view_of(target, count, own):
    """Return scans of a camera at the origin, looking along x, that may have shown a target."""
    return ViewOpportunities(
        observer=np.zeros((count, 3)), target=np.tile(target, (count, 1)), yaw=np.zeros(count),
        optical=np.tile(OPTICAL, (count, 1, 1)), half_view=np.tile([0.8, 0.7], (count, 1)),
        own=np.full(count, own), weight=np.ones(count), **sharp(count),
    )  # fmt: skip


def test_scans_that_should_have_shown_the_drone_cost_it_evidence():
    pose = np.array([4.0, 0.0, 0.0, 1.0])
    pairs = planted_pairs(pose)
    unseen = in_view_of(np.zeros(3), 50, own=False)  # the drone stood at its pose all along
    elsewhere = in_view_of(np.array([0.0, 30.0, 0.0]), 50, own=False)
    free, costly, harmless = (
        modes_of(pairs, scans)[0]
        for scans in (always(80), always(80).joined(unseen), always(80).joined(elsewhere))
    )
    assert costly.cost - free.cost == pytest.approx(shown_probability(PARAMETERS) * 50)
    assert costly.evidence == pytest.approx(free.evidence + free.cost - costly.cost)
    assert harmless.evidence == pytest.approx(free.evidence)


def test_over_clutter_the_likelihood_ratio_of_a_pose_averages_to_one():
    rng, pose, scans, sigma, density = np.random.default_rng(1), [5.0, 0, 0, 0], 8, 1.0, 0.02
    chance = shown_probability(PARAMETERS)
    ratios = []
    for _ in range(3000):
        count = rng.poisson(density * 1000.0 * scans)
        clutter = pose[:3] + rng.uniform(-5.0, 5.0, (count, 3))
        pairs = PointPairs(
            body_points=np.zeros((count, 3)), map_points=clutter,
            precision=np.tile(np.eye(3) / sigma**2, (count, 1, 1)), own=np.zeros(count, bool),
            reference=np.zeros(count, int),
            log_peak_ratio=np.full(count, np.log(chance / density / (2 * np.pi) ** 1.5)),
            explained=np.zeros(count), sighting=np.arange(count), weight=np.ones(count),
        )  # fmt: skip
        seen = in_view_of(np.zeros(3), scans, own=False)
        fit, _, cost = log_likelihood_ratio(pairs, seen, np.array(pose), PARAMETERS)
        ratios.append(np.exp(fit - cost))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.15)


def test_misses_count_fully_where_nothing_hides_a_drone_for_long():
    independent = replace(PARAMETERS, detection_correlation=0.0)
    assert shown_probability(independent) == PARAMETERS.detection_probability
    for_ever = replace(PARAMETERS, detection_correlation=60.0)
    assert shown_probability(for_ever) == pytest.approx(0.5 * PARAMETERS.detection_probability)
    shares = [shown_probability(p) for p in (independent, PARAMETERS, for_ever)]
    assert shares == sorted(shares, reverse=True)


def test_the_view_is_the_same_whoever_carries_the_camera():
    ahead, pose = np.array([5.0, 1.0, 0.5]), np.array([0.0, 0.0, 0.0, 0.0])
    seen = in_view_of(ahead - pose[:3], 1, own=False)
    sees = in_view_of(ahead, 1, own=True)
    assert in_view(seen, pose, PARAMETERS) == pytest.approx(1.0)
    assert in_view(sees, pose, PARAMETERS) == pytest.approx(1.0)
    turned = np.array([0.0, 0.0, 0.0, np.pi])
    assert in_view(sees, turned, PARAMETERS) == pytest.approx(0.0)
