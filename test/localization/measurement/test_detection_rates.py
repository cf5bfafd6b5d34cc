"""P_D and clutter are learned per observer, with the parameters as prior."""

import numpy as np
import pytest

from mav_perception.localization.measurement.detection_rates import (
    MIN_PROBABILITY,
    DetectionRates,
)
from mav_perception.localization.parameters import FilterParameters

PARAMETERS = FilterParameters(detection_probability=0.8, clutter_per_frame=0.5)
ALL = np.ones(3)
"""Three drones in view."""


def test_without_frames_the_prior_holds():
    rates = DetectionRates.empty(2)
    assert rates.detection_probability(0, PARAMETERS) == pytest.approx(0.8)
    assert rates.clutter_per_frame(1, PARAMETERS) == pytest.approx(0.5)


def test_counts_draw_the_rates_of_their_observer_alone():
    rng = np.random.default_rng(0)
    rates = DetectionRates.empty(2)
    for _ in range(1500):
        rates = rates.counted(0, rng.binomial(1, 0.4, 3), ALL, rng.poisson(2.0), 0.9 * ALL)
    assert rates.detection_probability(0, PARAMETERS) == pytest.approx(0.4, abs=0.05)
    assert rates.clutter_per_frame(0, PARAMETERS) == pytest.approx(2.0, abs=0.25)
    assert rates.detection_probability(1, PARAMETERS) == pytest.approx(0.8)


def test_a_blind_camera_keeps_a_chance_to_see_again():
    rates = DetectionRates.empty(1)
    for _ in range(5000):
        rates = rates.counted(0, np.zeros(3), ALL, 0.0, 0.9 * ALL)
    assert rates.detection_probability(0, PARAMETERS) >= MIN_PROBABILITY


@pytest.mark.parametrize('hides', [True, False])
def test_what_is_seen_again_tells_whether_misses_are_correlated(hides):
    """A drone that hides for seconds is seen again right after it was; independent misses not."""
    rng = np.random.default_rng(1)
    rates, hidden = DetectionRates.empty(1), np.zeros(3, bool)
    seen = np.zeros(3, bool)
    for _ in range(2000):
        hidden ^= rng.random(3) < 0.05
        before = 0.9 * seen
        seen = ~hidden & (rng.random(3) < 0.9) if hides else rng.random(3) < 0.45
        rates = rates.counted(0, seen.astype(float), ALL, 0.0, before)
    assert rates.detection_probability(0, PARAMETERS) == pytest.approx(0.45, abs=0.1)
    again = rates.visible_probability(0, PARAMETERS)
    assert again == pytest.approx(0.86 if hides else 0.45, abs=0.06)
