"""P_D and clutter are learned per observer, with the parameters as prior."""

import numpy as np
import pytest

from mav_perception.localization.measurement.detection_rates import (
    MIN_PROBABILITY,
    DetectionRates,
)
from mav_perception.localization.parameters import FilterParameters

PARAMETERS = FilterParameters(detection_probability=0.8, clutter_per_frame=0.5)


def test_without_frames_the_prior_holds():
    rates = DetectionRates.empty(2)
    assert rates.detection_probability(0, PARAMETERS) == pytest.approx(0.8)
    assert rates.clutter_per_frame(1, PARAMETERS) == pytest.approx(0.5)


def test_counts_draw_the_rates_of_their_observer_alone():
    rng = np.random.default_rng(0)
    rates = DetectionRates.empty(2)
    for _ in range(1500):
        rates = rates.counted(0, rng.binomial(3, 0.4), 3.0, rng.poisson(2.0))
    assert rates.detection_probability(0, PARAMETERS) == pytest.approx(0.4, abs=0.05)
    assert rates.clutter_per_frame(0, PARAMETERS) == pytest.approx(2.0, abs=0.25)
    assert rates.detection_probability(1, PARAMETERS) == pytest.approx(0.8)


def test_a_blind_camera_keeps_a_chance_to_see_again():
    rates = DetectionRates.empty(1)
    for _ in range(5000):
        rates = rates.counted(0, 0.0, 3.0, 0.0)
    assert rates.detection_probability(0, PARAMETERS) >= MIN_PROBABILITY
