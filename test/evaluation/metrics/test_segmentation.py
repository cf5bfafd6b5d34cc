"""IoU and blob matching on masks with known answers."""

import numpy as np
import pytest

from mav_perception.evaluation.metrics.segmentation import SegmentationScore
from mav_perception.types import LabelMask


def square(column, size=20):
    labels = np.zeros((512, 640), np.uint8)
    labels[200 : 200 + size, column : column + size] = 1
    return labels


def score_of(guess, truth):
    score = SegmentationScore.of_classes(2)
    score.add(LabelMask(guess, np.full_like(guess, 255)), truth)
    return score.figures()


def test_half_overlap_has_a_third_of_iou_and_is_a_hit():
    figures = score_of(square(110), square(100))
    assert figures['iou'][1] == pytest.approx(1 / 3, abs=1e-3)
    assert figures['p_d'] == 1.0
    assert figures['false_per_frame'] == 0.0
    assert figures['centroid_px_median'] == pytest.approx(10.0)


def test_a_far_blob_is_a_miss_and_a_false_alarm():
    figures = score_of(square(300), square(100))
    assert figures['iou'][1] == 0.0
    assert figures['p_d'] == 0.0
    assert figures['false_per_frame'] == 1.0


def test_unknown_pixels_and_blobs_on_them_do_not_count():
    truth = square(100)
    truth[:, 290:330] = 255
    figures = score_of(np.maximum(square(100), square(300)), truth)
    assert figures['iou'] == [1.0, 1.0]
    assert figures['false_per_frame'] == 0.0


def test_blobs_below_the_operating_point_are_neither_found_nor_false():
    truth, guess = square(100), np.maximum(square(100), square(300))
    confidence = np.full_like(guess, 255)
    confidence[:, 290:330] = 140
    for min_score, false in ((0.5, 1.0), (0.6, 0.0)):
        score = SegmentationScore.of_classes(2, min_score)
        score.add(LabelMask(guess, confidence), truth)
        assert score.figures()['p_d'] == 1.0
        assert score.figures()['false_per_frame'] == false
