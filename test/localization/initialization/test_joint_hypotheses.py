"""Joint hypotheses of two drones against every combination of their modes."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from mav_perception.localization.initialization.joint_hypotheses import (
    STATIC_OBJECT,
    Background,
    joint_hypotheses,
    margin,
)
from mav_perception.localization.initialization.pose_modes import PoseMode

SIGHTINGS = 12


def mode(explained, strength=20.0, cost=1.0, log_prior=-4.0):
    """Return a mode that explains some of the sightings."""
    ratio = np.zeros(SIGHTINGS)
    ratio[list(explained)] = strength
    evidence = float(np.log1p(ratio).sum()) - cost + log_prior
    return PoseMode(
        pose=np.zeros(4), covariance=np.eye(4), intensity_ratio=ratio, cost=cost,
        log_prior=log_prior, evidence=evidence,
    )  # fmt: skip


NOTHING_KNOWN = Background(np.zeros(SIGHTINGS), np.ones(SIGHTINGS))


def every_combination(modes, background, but_not=None):
    """Return chosen modes -> score of every combination of one mode or none a drone."""
    drones = sorted(modes)
    scores = {}
    for choice in itertools.product(*([None, *range(len(modes[d]))] for d in drones)):
        chosen = {d: c for d, c in zip(drones, choice, strict=True) if c is not None}
        if but_not in chosen.items():
            continue
        picked = [modes[d][c] for d, c in chosen.items()]
        ratio = sum((m.intensity_ratio for m in picked), np.zeros(SIGHTINGS))
        score = background.weight @ np.log1p(ratio / (1.0 + background.explained))
        log_prior_less_cost = sum(m.log_prior - m.cost for m in picked)
        scores[frozenset(chosen.items())] = score + log_prior_less_cost
    return scores


@pytest.fixture
def modes():
    """Both drones fit the first sightings best; only one of them fits the others."""
    return {1: [mode(range(0, 8)), mode(range(8, 12))], 2: [mode(range(0, 7)), mode(range(3, 6))]}


def test_two_drones_do_not_claim_the_same_sightings(modes):
    best = joint_hypotheses(modes, NOTHING_KNOWN)[0]
    assert best.chosen == {1: 1, 2: 0}  # and not the best mode of each
    assert (best.intensity_ratio[[*range(7), *range(8, 12)]] > 0.0).all()


def test_scores_are_those_of_every_combination(modes):
    scores = every_combination(modes, NOTHING_KNOWN)
    for found in joint_hypotheses(modes, NOTHING_KNOWN):
        assert found.score == pytest.approx(scores[frozenset(found.chosen.items())])
    assert joint_hypotheses(modes, NOTHING_KNOWN)[0].score == pytest.approx(max(scores.values()))


def test_the_margin_is_the_log_odds_against_every_combination_without(modes):
    hypotheses = joint_hypotheses(modes, NOTHING_KNOWN)
    with_it = [
        score
        for chosen, score in every_combination(modes, NOTHING_KNOWN).items()
        if (2, 0) in chosen
    ]
    without = list(every_combination(modes, NOTHING_KNOWN, but_not=(2, 0)).values())
    expected = logsumexp(with_it) - logsumexp(without)
    assert margin(2, 0, hypotheses, modes, NOTHING_KNOWN) == pytest.approx(expected, abs=0.05)


def test_two_drones_that_could_change_places_leave_no_margin():
    twins = {
        1: [mode(range(0, 6)), mode(range(6, 12))],
        2: [mode(range(0, 6)), mode(range(6, 12))],
    }
    hypotheses = joint_hypotheses(twins, NOTHING_KNOWN)
    assert hypotheses[0].score == pytest.approx(hypotheses[1].score)
    assert abs(margin(1, 0, hypotheses, twins, NOTHING_KNOWN)) < 0.1


def test_what_is_explained_already_speaks_for_nobody(modes):
    explained = Background(np.full(SIGHTINGS, 1e6), np.ones(SIGHTINGS))
    assert joint_hypotheses(modes, explained)[0].chosen == {}


def test_static_objects_may_take_any_number_of_modes():
    objects = {STATIC_OBJECT: [mode(range(0, 4)), mode(range(4, 8)), mode(range(8, 12))]}
    best = joint_hypotheses(objects, NOTHING_KNOWN)[0]
    assert len(best.chosen) == 3
