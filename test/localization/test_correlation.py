"""Frames within a correlation time count as about one."""

import numpy as np
import pytest

from mav_perception.localization.correlation import (
    HIDDEN_PROBABILITY,
    Detectability,
    new_evidence,
    new_information,
)

IN_VIEW = np.ones(1)


def log_probability_of_misses(count, overall, visible, correlation_time, interval=0.1):
    """Return the log probability of misses in a row of a target in view."""
    state, total = np.full(1, np.nan), 0.0
    for _ in range(count):
        before = Detectability.predicted(
            state, np.array([visible]), np.array([overall]), interval, correlation_time
        )
        total += float(np.log1p(-before.probability[0]))
        state = before.after_miss(IN_VIEW)
    return total


@pytest.mark.parametrize('overall', [0.4, 0.6, 0.8])
def test_what_is_hidden_costs_a_few_misses_not_fifty(overall):
    hidden = log_probability_of_misses(50, overall, 0.85, correlation_time=5.0)
    once = np.log1p(-overall)
    assert 5.0 * once < hidden < once
    assert log_probability_of_misses(50, overall, 0.85, 1.0) > 9.0 * once


def test_what_is_not_there_is_ruled_out_within_a_few_coherence_times():
    assert np.exp(log_probability_of_misses(50, 0.8, 0.85, correlation_time=1.0)) < 1e-3


def test_independent_misses_are_counted_one_by_one():
    independent = 20 * np.log1p(-0.7)
    assert log_probability_of_misses(20, 0.7, 0.85, 0.0) == pytest.approx(independent)
    always_visible = log_probability_of_misses(20, 0.7, 0.7, 1.0)
    assert always_visible == pytest.approx(independent, rel=1e-6)


def test_detectability_follows_the_forward_recursion_of_two_states():
    """Brute force: the distribution over the two states, moved and weighed by Bayes' rule."""
    visible, overall, interval, time, view = 0.85, 0.6, 0.1, 1.0, 0.7
    usual = (overall - HIDDEN_PROBABILITY) / (visible - HIDDEN_PROBABILITY)
    kept = np.exp(-interval / time)
    move = np.array([[usual + (1 - usual) * kept, 1 - usual - (1 - usual) * kept],
                     [usual - usual * kept, 1 - usual + usual * kept]])  # fmt: skip
    detects = np.array([visible, HIDDEN_PROBABILITY])
    belief, state = np.array([usual, 1 - usual]), np.full(1, np.nan)
    for detected in (1, 0, 0, 1, 0, 0, 0):
        before = Detectability.predicted(
            state, np.array([visible]), np.array([overall]), interval, time
        )
        belief = belief @ move
        assert before.probability[0] == pytest.approx(belief @ detects)
        belief = belief * (detects if detected else 1.0 - view * detects)
        belief = belief / belief.sum()
        state = before.after_detection if detected else before.after_miss(np.full(1, view))
        assert state[0] == pytest.approx(belief[0])


def test_correlated_errors_tell_what_as_many_independent_ones_would():
    """The mean of n readings whose errors are an AR(1) process has this variance in the limit."""
    time, interval, number = 1.0, 0.2, 4000
    kept = np.exp(-interval / time)
    covariance = kept ** np.abs(np.subtract.outer(np.arange(number), np.arange(number)))
    variance = covariance.sum() / number**2
    share = new_information(np.array([interval]), np.array([time]))[0]
    assert 1.0 / (number * share) == pytest.approx(variance, rel=2e-3)


def test_a_first_sighting_and_independent_errors_are_all_new():
    np.testing.assert_allclose(new_information(np.array([1e10, 0.1]), np.zeros(2)), 1.0)
    share = new_information(np.array([1e10, 10.0, 0.1, 0.0]), np.ones(4))
    np.testing.assert_allclose(share[:2], 1.0, atol=1e-4)
    assert 0.0 < share[3] < share[2] < 0.06


def test_evidence_is_new_in_proportion_to_the_time_since_the_last_frame():
    elapsed = np.array([0.0, 0.5, 1.0, 7.0])
    np.testing.assert_allclose(new_evidence(elapsed, 1.0), [0.0, 0.5, 1.0, 1.0])
    frames = np.full(10, 0.1)  # at 10 Hz, one second of frames is one frame's evidence
    np.testing.assert_allclose(new_evidence(frames, 1.0).sum(), 1.0)
