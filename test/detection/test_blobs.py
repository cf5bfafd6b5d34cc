"""Blobs of a mask."""

import numpy as np
import pytest

from mav_perception.detection.blobs import find_detections
from mav_perception.errors import InputError
from mav_perception.types import LabelMask


def mask(*boxes, unknown=()):
    labels = np.zeros((60, 80), np.uint8)
    for left, top, width, height in boxes:
        labels[top : top + height, left : left + width] = 1
    for left, top, width, height in unknown:
        labels[top : top + height, left : left + width] = 255
    return LabelMask(labels, np.full((60, 80), 204, np.uint8))


def test_blobs_are_found_largest_first_with_their_centre():
    small, large = (10, 10, 4, 4), (40, 20, 10, 6)
    found = find_detections(mask(small, large), 1, 5)
    assert [d.box for d in found] == [large, small]
    np.testing.assert_allclose(found[0].centroid, [44.5, 22.5])
    assert found[0].area == 60
    assert found[0].score == pytest.approx(0.8)
    assert not found[0].cut


def test_noise_is_left_out_and_an_empty_mask_has_none():
    assert find_detections(mask((10, 10, 2, 2)), 1, 5) == []
    assert find_detections(mask(), 1, 1) == []


def test_a_blob_below_the_operating_point_is_none():
    boxes = mask((10, 10, 6, 6), (40, 20, 6, 6))
    confidence = boxes.confidence.copy()
    confidence[20:26, 40:46] = 153
    doubtful = LabelMask(boxes.labels, confidence)
    (sure,) = find_detections(doubtful, 1, 5, min_score=0.7)
    assert sure.box == (10, 10, 6, 6)
    assert len(find_detections(doubtful, 1, 5, min_score=0.6)) == 2


def test_a_blob_without_any_confidence_still_has_a_centre():
    doubtful = LabelMask(mask((10, 10, 5, 5)).labels, np.zeros((60, 80), np.uint8))
    (found,) = find_detections(doubtful, 1, 5)
    np.testing.assert_allclose(found.centroid, [12.0, 12.0], atol=0.5)
    assert np.isfinite(found.length)


@pytest.mark.parametrize('box', [(0, 10, 5, 5), (75, 10, 5, 5), (10, 0, 5, 5), (10, 55, 5, 5)])
def test_blobs_at_the_border_are_cut(box):
    assert find_detections(mask(box), 1, 5)[0].cut


def test_blobs_beside_unknown_pixels_are_cut():
    assert find_detections(mask((10, 10, 5, 5), unknown=[(15, 8, 4, 9)]), 1, 5)[0].cut


def test_masks_of_two_sizes_are_refused():
    with pytest.raises(InputError, match='one size'):
        find_detections(LabelMask(np.zeros((4, 4), np.uint8), np.zeros((5, 4), np.uint8)), 1, 1)
