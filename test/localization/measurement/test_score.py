"""The score of a sighting as evidence."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from mav_perception.evaluation.benchmark.baselines import BASELINES
from mav_perception.evaluation.benchmark.comparison import score
from mav_perception.evaluation.playback import play
from mav_perception.localization.measurement.score import (
    MAX_LOG_RATIO,
    object_log_ratio,
    score_log_ratio,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.sensors import SightingNoise

KNOWN = FilterParameters(
    true_score_mean=0.87, true_score_weight=60.0, false_score_mean=0.75, false_score_weight=40.0
)


def test_the_ratio_is_that_of_the_densities_and_bounded():
    scores = np.array([0.75, 0.8, 0.85])
    expected = beta.logpdf(scores, 52.2, 7.8) - beta.logpdf(scores, 30.0, 10.0)
    np.testing.assert_allclose(score_log_ratio(scores, KNOWN), expected)
    extremes = score_log_ratio(np.array([0.0, 0.3, 1.0]), KNOWN)
    np.testing.assert_array_equal(np.abs(extremes), MAX_LOG_RATIO)
    np.testing.assert_array_equal(score_log_ratio(scores, FilterParameters()), 0.0)


def test_an_object_may_look_like_a_drone_or_not():
    ratio = np.array([-3.0, 0.0, 3.0])
    np.testing.assert_allclose(object_log_ratio(ratio), np.log((1.0 + np.exp(ratio)) / 2.0))


@pytest.mark.flight
def test_scores_that_tell_make_a_flight_among_much_clutter_better():
    """The same flights with scores, and with a filter that is told nothing of them."""
    noise = SightingNoise(
        clutter_per_frame=6.0, detection_probability=0.5, bearing=0.04, range_share=0.2,
        true_score_mean=0.87, true_score_weight=60.0,
        false_score_mean=0.7, false_score_weight=40.0,
    )  # fmt: skip
    told, untold = [], []
    for seed in range(3):
        scenario = Scenario(drones=4, duration=20.0, seed=seed, sighting_noise=noise)
        recording, known = fly(scenario), matching_parameters(scenario)
        blind = replace(known, true_score_weight=0.0)
        for parameters, errors in ((known, told), (blind, untold)):
            flown = play(recording, BASELINES['cpdaf'].build(recording, parameters))
            errors.append(score(recording, flown, (0, 1, 2, 3)).team_shape)
    assert np.mean(told) < 0.96 * np.mean(untold)
