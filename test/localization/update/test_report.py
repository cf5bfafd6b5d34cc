"""What a scan did to the filter, as its report tells."""

import numpy as np

from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import Sightings

NOTHING = Sightings('mav1', 0, np.zeros((0, 3)), np.zeros(0), np.zeros(0))


def report(marginal, candidates=(1, 4)):
    count = len(candidates)
    return UpdateReport(
        sightings=NOTHING, candidates=np.array(candidates, np.int64),
        view_probability=np.ones(count), detection_probability=np.ones(count),
        marginal=np.array(marginal, float), log_evidence_ratio=np.zeros(count),
        outside_gate=0, events=1, dropped=0.0, nis=0.0, nis_size=0,
    )  # fmt: skip


def test_each_sighting_is_taken_for_the_likeliest_candidate_or_for_none():
    taken, probability = report(
        [[0.9, 0.05, 0.3, 0.1], [0.0, 0.1, 0.35, 0.55]]
    ).best_associations()
    np.testing.assert_array_equal(taken, [1, -1, -1])  # 0.35 for none, 0.35 for the second: none
    np.testing.assert_allclose(probability, [0.9, 0.85, 0.35])


def test_without_candidates_all_are_false_and_without_sightings_there_are_none():
    taken, probability = report(np.zeros((0, 3)), ()).best_associations()
    np.testing.assert_array_equal(taken, [-1, -1])
    np.testing.assert_allclose(probability, 1.0)
    assert len(report(np.ones((2, 1))).best_associations()[0]) == 0
