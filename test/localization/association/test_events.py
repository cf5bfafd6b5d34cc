"""Branch and bound against the enumeration of every joint association event."""

import itertools

import numpy as np
import pytest

from mav_perception.localization.association.events import (
    NEGLIGIBLE,
    cluster_events,
    joint_association_events,
)
from mav_perception.localization.association.problem import MISSED, AssociationProblem


def random_gain(seed, hypotheses, targets, sightings, gated=1.0, spread=2.0):
    """Return log weights (K, T, m) of pairs against missing the candidate, -inf if not gated."""
    rng = np.random.default_rng((seed, targets, sightings))
    gain = rng.normal(0.0, spread, (hypotheses, targets, sightings))
    gain[rng.random(gain.shape) > gated] = -np.inf
    return gain


def every_event(gain):
    """Return all events (E, T) that are in the gates under some hypothesis, and weights (K, E)."""
    targets, sightings = gain.shape[1:]
    inside = np.isfinite(gain).any(axis=0)
    events = []
    for event in itertools.product(range(-1, sightings), repeat=targets):
        used = [(t, j) for t, j in enumerate(event) if j != MISSED]
        if len({j for _, j in used}) == len(used) and all(inside[pair] for pair in used):
            events.append(event)
    return np.array(events), weights_of(events, gain)


def weights_of(events, gain):
    """Return (K, E) sums of the gains that each event takes."""
    padded = np.concatenate([gain, np.zeros((*gain.shape[:2], 1))], axis=2)
    return padded[:, np.arange(gain.shape[1]), np.asarray(events)].sum(axis=2)


@pytest.mark.parametrize(('targets', 'sightings'), [(1, 1), (2, 3), (3, 2), (4, 4), (5, 3)])
@pytest.mark.parametrize('gated', [1.0, 0.6])
@pytest.mark.parametrize('spread', [1.0, 12.0])
def test_all_events_are_found_but_for_the_negligible(targets, sightings, gated, spread):
    for seed in range(5):
        gain = random_gain(seed, 2, targets, sightings, gated, spread)
        expected, weights = every_event(gain)
        events, found, total, whole = cluster_events(gain, 10**6)
        assert whole
        assert len(np.unique(events, axis=0)) == len(events)
        np.testing.assert_allclose(found, weights_of(events, gain))
        matters = (weights > weights.max(axis=1, keepdims=True) - NEGLIGIBLE).any(axis=0)
        assert {*map(tuple, expected[matters])} == {*map(tuple, events)}
        np.testing.assert_allclose(total, np.logaddexp.reduce(weights, axis=1), atol=1e-4)


@pytest.mark.parametrize('budget', [20, 150])
def test_beyond_the_budget_the_likely_events_stay_and_what_is_cut_is_bounded(budget):
    for seed in range(10):
        gain = random_gain(seed, 1, 5, 5)
        _, weights = every_event(gain)
        events, found, total, whole = cluster_events(gain, budget)
        assert len(events) == budget
        assert not whole
        likeliest = np.sort(weights[0])[::-1][:budget]
        assert found.max() == pytest.approx(likeliest[0])
        assert np.exp(found).sum() > 0.9 * np.exp(likeliest).sum()
        exact = np.logaddexp.reduce(weights[0])
        assert exact <= total[0] + 1e-9 < exact + 1.0


def test_the_smallest_budget_leaves_an_event():
    gain = np.array([[[18.0, 17.5], [17.8, -np.inf]]])
    for budget in (1, 2):
        events, found, total, _ = cluster_events(gain, budget)
        assert 1 <= len(events) <= budget
        assert total[0] >= found.max()


def test_what_is_cut_is_reported_and_nothing_else_is():
    gain = random_gain(3, 1, 5, 5, spread=1.0)
    problem = AssociationProblem(
        gain, np.zeros((1, 5)), np.isfinite(gain), np.zeros(1), np.arange(5)
    )
    everything = joint_association_events(problem, 10**6)
    some = joint_association_events(problem, 150)
    assert everything.dropped == 0.0
    assert len(some.assignment) == 150
    kept = np.exp(weights_of(some.assignment, gain)).sum()
    share = kept / np.exp(weights_of(everything.assignment, gain)).sum()
    assert 1.0 - share <= some.dropped + 1e-9 < 1.0
    assert some.dropped < 2.0 * (1.0 - share)
