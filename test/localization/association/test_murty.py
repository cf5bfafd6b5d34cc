"""Murty's algorithm against the enumeration of every event."""

import numpy as np
import pytest

from mav_perception.localization.association.events import cluster_events, uncoupled_log_weights
from mav_perception.localization.association.murty import (
    EXACT_SIGHTINGS,
    k_best_events,
    log_total_weight,
)


def random_cluster(seed, targets, sightings, gated=1.0):
    """Return log likelihood ratios, -inf outside the gates, and log weights of misses."""
    rng = np.random.default_rng((seed, targets, sightings))
    log_ratio = rng.normal(0.0, 2.0, (targets, sightings))
    log_ratio[rng.random((targets, sightings)) > gated] = -np.inf
    return log_ratio, rng.normal(-1.0, 0.5, targets)


def every_event(log_ratio, log_missed):
    """Return all events and their weights, the heaviest first."""
    events = cluster_events(log_ratio > -np.inf, 10**6)
    weights = uncoupled_log_weights(events, log_ratio, log_missed)
    order = np.argsort(-weights)
    return events[order], weights[order]


@pytest.mark.parametrize(('targets', 'sightings'), [(1, 1), (2, 3), (3, 2), (4, 4), (5, 3)])
@pytest.mark.parametrize('gated', [1.0, 0.6])
@pytest.mark.parametrize('number', [1, 7, 10**4])
def test_the_k_best_events_are_the_k_heaviest_of_all(targets, sightings, gated, number):
    for seed in range(5):
        log_ratio, log_missed = random_cluster(seed, targets, sightings, gated)
        expected, weights = every_event(log_ratio, log_missed)
        best = k_best_events(log_ratio, log_missed, number)
        assert len(best) == min(number, len(expected))
        assert len(np.unique(best, axis=0)) == len(best)
        found = uncoupled_log_weights(best, log_ratio, log_missed)
        np.testing.assert_allclose(found, weights[: len(best)], atol=1e-9)
        np.testing.assert_array_equal(best, expected[: len(best)])


def test_no_event_uses_a_sighting_twice_or_one_outside_the_gate():
    log_ratio, log_missed = random_cluster(3, 6, 6, gated=0.5)
    for event in k_best_events(log_ratio, log_missed, 200):
        used = event[event >= 0]
        assert len(set(used)) == len(used)
        assert np.isfinite(log_ratio[np.flatnonzero(event >= 0), used]).all()


def test_the_total_weight_is_that_of_all_events_together():
    for seed in range(5):
        log_ratio, log_missed = random_cluster(seed, 4, 5, gated=0.8)
        _, weights = every_event(log_ratio, log_missed)
        expected = np.log(np.exp(weights).sum())
        assert log_total_weight(log_ratio, log_missed) == pytest.approx(expected, abs=1e-9)


def test_with_many_sightings_the_total_weight_is_an_upper_bound():
    log_ratio, log_missed = random_cluster(0, 3, EXACT_SIGHTINGS + 1)
    _, weights = every_event(log_ratio, log_missed)
    assert log_total_weight(log_ratio, log_missed) >= np.log(np.exp(weights).sum())
