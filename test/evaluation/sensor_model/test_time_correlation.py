"""How long misses and errors stay is found from detections that were drawn with known times."""

import numpy as np
import pytest

from mav_perception.evaluation.sensor_model.target_observations import TargetObservations
from mav_perception.evaluation.sensor_model.time_correlation import (
    fit_detection_correlation,
    fit_error_correlation,
    frame_pairs,
)

STEP, LENGTH = 0.25, 40
SHARE, VISIBLE, HIDDEN = 0.7, 0.9, 0.02


def drawn(hidden_time, error_time, tracks=60, seed=5):
    """Return observations of targets that something hides for a while, and their errors."""
    rng = np.random.default_rng(seed)
    found, errors = [], []
    for _ in range(tracks):
        seen, error = rng.random() < SHARE, rng.normal()
        for _ in range(LENGTH):
            found.append(rng.random() < (VISIBLE if seen else HIDDEN))
            errors.append(error)
            if rng.random() > np.exp(-STEP / hidden_time):
                seen = rng.random() < SHARE
            rho = np.exp(-STEP / error_time)
            error = rho * error + np.sqrt(1.0 - rho**2) * rng.normal()
    return in_a_row(np.array(found), tracks), np.array(errors)[:, None]


def in_a_row(found, tracks):
    count, nothing = len(found), np.zeros(0)
    return TargetObservations(
        group=np.zeros(count, int), image_size=(10, 10), frame=np.arange(count),
        track=np.repeat(np.arange(tracks), LENGTH), time=np.tile(STEP * np.arange(LENGTH), tracks),
        pixel=np.zeros((count, 2)), width=np.ones(count), distance=np.ones(count),
        cut=np.zeros(count, bool), found_pixel=np.zeros((count, 2)),
        found_width=np.where(found, 1.0, np.nan), found_score=np.ones(count),
        false_frame=nothing.astype(int), false_pixel=np.zeros((0, 2)), false_score=nothing,
    )  # fmt: skip


@pytest.mark.parametrize('time', [0.3, 1.0, 4.0])
def test_the_times_that_made_the_detections_are_found(time):
    views, errors = drawn(time, time)
    pairs = frame_pairs(views)
    visible, hidden_time = fit_detection_correlation(views.found, pairs)
    assert visible == pytest.approx(VISIBLE, abs=0.06)
    assert hidden_time == pytest.approx(time, rel=0.35)
    assert fit_error_correlation(errors, pairs) == pytest.approx(time, rel=0.25)


def test_independent_frames_have_no_time():
    views, errors = drawn(1e-3, 1e-3)
    pairs = frame_pairs(views)
    visible, hidden_time = fit_detection_correlation(views.found, pairs)
    overall = views.found.mean()
    assert hidden_time < 0.1 or visible == pytest.approx(overall, abs=0.05)
    assert fit_error_correlation(errors, pairs) < 0.1
    # A bias stays, but it is no correlation.
    biased = np.hstack([errors + 1.0, 0.2 * errors - 3.0])
    assert fit_error_correlation(biased, pairs) < 0.1


def test_images_of_their_own_tell_nothing_of_time():
    views, errors = drawn(1.0, 1.0, tracks=2)
    alone = TargetObservations(**{**views.__dict__, 'track': np.full(len(views.track), -1)})
    pairs = frame_pairs(alone)
    assert len(pairs.elapsed) == 0
    assert np.isnan(fit_detection_correlation(alone.found, pairs)).all()
    assert np.isnan(fit_error_correlation(errors, pairs))


def test_the_same_target_before_another_camera_is_no_pair():
    views, _ = drawn(1.0, 1.0, tracks=3)
    pairs = frame_pairs(views)
    assert len(pairs.elapsed) > 100
    np.testing.assert_array_equal(views.track[pairs.earlier], views.track[pairs.later])
    assert pairs.elapsed.min() == pytest.approx(STEP)
    assert pairs.elapsed.max() == pytest.approx(5.0)
