"""Joint hypotheses of two drones against every combination of their modes."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from mav_perception.localization.initialization.joint_hypotheses import (
    joint_hypotheses,
)
from mav_perception.localization.initialization.mutual_sightings import MutualEvidence
from mav_perception.localization.initialization.pose_modes import PoseMode
from mav_perception.localization.initialization.start_odds import start_odds
from mav_perception.localization.initialization.team_modes import STATIC_OBJECT, TeamModes

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


def team(modes, explained=0.0, mutual=None):
    """Return modes of which sightings are explained already to some degree, each counts one."""
    return TeamModes(modes, np.full(SIGHTINGS, explained), np.ones(SIGHTINGS), mutual)


def every_combination(modes, but_not=None):
    """Return chosen modes -> score of every combination of one mode or none a drone."""
    drones = sorted(modes)
    scores = {}
    for choice in itertools.product(*([None, *range(len(modes[d]))] for d in drones)):
        chosen = {d: c for d, c in zip(drones, choice, strict=True) if c is not None}
        if but_not in chosen.items():
            continue
        picked = [modes[d][c] for d, c in chosen.items()]
        ratio = sum((m.intensity_ratio for m in picked), np.zeros(SIGHTINGS))
        score = np.log1p(ratio).sum()
        log_prior_less_cost = sum(m.log_prior - m.cost for m in picked)
        scores[frozenset(chosen.items())] = score + log_prior_less_cost
    return scores


@pytest.fixture
def modes():
    """Both drones fit the first sightings best; only one of them fits the others."""
    return {1: [mode(range(0, 8)), mode(range(8, 12))], 2: [mode(range(0, 7)), mode(range(3, 6))]}


def test_two_drones_do_not_claim_the_same_sightings(modes):
    best = joint_hypotheses(team(modes))[0]
    assert best.chosen == {1: 1, 2: 0}  # and not the best mode of each
    assert (best.intensity_ratio[[*range(7), *range(8, 12)]] > 0.0).all()


def test_scores_are_those_of_every_combination(modes):
    scores = every_combination(modes)
    for found in joint_hypotheses(team(modes)):
        assert found.score == pytest.approx(scores[frozenset(found.chosen.items())])
    assert joint_hypotheses(team(modes))[0].score == pytest.approx(max(scores.values()))


def test_the_margin_is_the_log_odds_against_every_combination_without(modes):
    hypotheses = joint_hypotheses(team(modes))
    with_it = [score for chosen, score in every_combination(modes).items() if (2, 0) in chosen]
    without = list(every_combination(modes, but_not=(2, 0)).values())
    expected = logsumexp(with_it) - logsumexp(without)
    odds = start_odds(2, hypotheses, team(modes), Elsewhere(), 100.0)
    assert odds == pytest.approx(expected, abs=0.05)


class Elsewhere:
    """What drones may have seen if they are elsewhere, log odds; asked for only if it matters."""

    def __init__(self, **evidence):
        self.evidence = {int(name[1:]): value for name, value in evidence.items()}
        self.asked = set()

    def upper_bound(self, drone):
        return self.evidence.get(drone, 0.0)

    def of(self, drone):
        self.asked.add(drone)
        return self.evidence.get(drone, 0.0)


class SeenOnlyFromTheSecondModes:
    """Drones at their second modes saw each other; at others they should have, and did not."""

    def between(self, one, other):
        seen = np.zeros(SIGHTINGS)
        if one[1] == other[1] == 1:
            seen[10:] = 20.0
        return MutualEvidence(seen, cost=1.0)


def test_what_two_drones_saw_of_each_other_decides_between_their_modes():
    twins = {
        1: [mode(range(0, 4)), mode(range(4, 8), strength=18.0)],
        2: [mode(range(4, 8)), mode(range(0, 4), strength=18.0)],
    }
    alone = joint_hypotheses(team(twins))[0]
    together = joint_hypotheses(team(twins, mutual=SeenOnlyFromTheSecondModes()))
    assert alone.chosen == {1: 0, 2: 0}
    assert together[0].chosen == {1: 1, 2: 1}
    assert together[0].log_prior_less_cost == pytest.approx(-2 * 5.0 - 1.0)
    seen = team(twins, mutual=SeenOnlyFromTheSecondModes())
    assert start_odds(1, together, seen, Elsewhere(), 100.0) > 0.0


def test_two_drones_that_could_change_places_leave_no_margin():
    twins = {
        1: [mode(range(0, 6)), mode(range(6, 12))],
        2: [mode(range(0, 6)), mode(range(6, 12))],
    }
    hypotheses = joint_hypotheses(team(twins))
    assert hypotheses[0].score == pytest.approx(hypotheses[1].score)
    assert abs(start_odds(1, hypotheses, team(twins), Elsewhere(), 100.0)) < 0.1


def test_what_is_explained_already_speaks_for_nobody(modes):
    assert joint_hypotheses(team(modes, explained=1e6))[0].chosen == {}


def test_static_objects_may_take_any_number_of_modes():
    objects = {STATIC_OBJECT: [mode(range(0, 4)), mode(range(4, 8)), mode(range(8, 12))]}
    best = joint_hypotheses(team(objects))[0]
    assert len(best.chosen) == 3


@pytest.fixture
def pair():
    """Two drones that are found together, each by six sightings."""
    return team({1: [mode(range(0, 6))], 2: [mode(range(6, 12))]})


def test_what_a_drone_may_have_seen_elsewhere_counts_against_it(pair):
    hypotheses = joint_hypotheses(pair)
    free = start_odds(1, hypotheses, pair, Elsewhere(), 0.0)
    bound = start_odds(1, hypotheses, pair, Elsewhere(d1=8.0), 0.0)
    assert bound == pytest.approx(free - 8.0, abs=0.01)


def test_the_drones_that_go_with_it_count_too(pair):
    """Without drone 1 drone 2 may be elsewhere too: what it may have seen there is no less."""
    hypotheses = joint_hypotheses(pair)
    alone = start_odds(1, hypotheses, pair, Elsewhere(d1=5.0), 0.0)
    both = start_odds(1, hypotheses, pair, Elsewhere(d1=5.0, d2=30.0), 0.0)
    assert both < alone - 10.0


def test_what_cannot_decide_is_not_searched_for(pair):
    hypotheses, far_away = joint_hypotheses(pair), Elsewhere()
    assert start_odds(1, hypotheses, pair, far_away, -20.0) > -20.0
    assert far_away.asked == set()
