"""The deep Poisson model of false sightings: right on what it draws itself, and repeatable."""

import numpy as np
import pytest
from scipy.stats import poisson

from mav_perception.errors import DataError
from mav_perception.evaluation.clutter.clutter_models import (
    constant_log_likelihood,
    fit_clutter_over_time,
    fit_moving_average,
    moving_average_log_likelihood,
)
from mav_perception.evaluation.clutter.clutter_over_time import ClutterBelief, ClutterOverTime

BURSTS = ClutterOverTime(2.0, 0.05, 5.0, 0.97, 0.3)


def drawn(model, frames, seed):
    """Draw counts from the model."""
    rng = np.random.default_rng(seed)
    slow = fast = 1.0
    counts = []
    for _ in range(frames):
        top = rng.gamma(model.top_shape) / model.top_shape
        slow = model.top_memory * slow + (1.0 - model.top_memory) * top
        middle = rng.gamma(model.shape) / model.shape * slow
        fast = model.memory * fast + (1.0 - model.memory) * middle
        counts.append(rng.poisson(model.rate * fast))
    return np.array(counts, float)


def test_it_foretells_bursts_better_than_a_constant():
    counts = [drawn(BURSTS, 300, seed) for seed in range(3)]
    fitted = fit_clutter_over_time(counts[:1], evaluations=40)
    rate = float(counts[0].mean())
    for held_out in counts[1:]:
        assert fitted.log_likelihood(held_out) > constant_log_likelihood(held_out, rate) + 10.0


def test_a_steady_model_is_a_plain_poisson():
    steady = ClutterOverTime(1.5, 1e6, 1e6, 0.5, 0.5)
    counts = np.random.default_rng(0).poisson(1.5, 50).astype(float)
    expected = poisson.logpmf(counts, 1.5).sum()
    assert steady.log_likelihood(counts) == pytest.approx(expected, rel=1e-3)
    assert steady.expected(ClutterBelief.empty()) == pytest.approx(1.5)


def test_what_is_expected_follows_what_was_seen_and_comes_again_the_same():
    belief = ClutterBelief.empty()
    for _ in range(30):
        belief, _ = BURSTS.observed(belief, 8.0)
    assert BURSTS.expected(belief) > 5.0
    again, first = BURSTS.observed(belief, 0.0)
    twin, second = BURSTS.observed(belief, 0.0)  # as after going back in time
    np.testing.assert_array_equal(again.fast, twin.fast)
    assert first == second
    for _ in range(60):
        again, _ = BURSTS.observed(again, 0.0)
    assert BURSTS.expected(again) < 1.0


def test_a_moving_average_finds_its_memory():
    jumps = np.repeat([0.0, 6.0, 0.0, 6.0], 40)
    memory = fit_moving_average([jumps])
    assert memory < 0.9
    slow = moving_average_log_likelihood(jumps, 0.999, 3.0)
    assert moving_average_log_likelihood(jumps, memory, 3.0) > slow + 50.0


@pytest.mark.parametrize('counts', [np.zeros(5), np.full(50, np.nan), np.full(50, -1.0)])
def test_what_are_no_counts_is_refused(counts):
    with pytest.raises(DataError):
        fit_clutter_over_time([counts])
    with pytest.raises(DataError):
        fit_moving_average([counts])
