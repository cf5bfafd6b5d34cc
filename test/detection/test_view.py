"""The view mask hides the own body."""

import cv2
import numpy as np
import pytest

from mav_perception.detection.blobs import find_detections
from mav_perception.detection.view import load_view, restrict_to_view
from mav_perception.errors import ConfigurationError, InputError
from mav_perception.types import LabelMask


@pytest.fixture
def mask():
    labels = np.zeros((100, 120), np.uint8)
    labels[20:30, 40:60] = 1  # a drone
    labels[80:100, 40:80] = 1  # the own rotor
    return LabelMask(labels, np.full_like(labels, 255))


def test_what_lies_outside_the_view_is_no_drone(mask, tmp_path):
    picture = np.full((100, 120, 3), 255, np.uint8)
    picture[75:] = 0
    cv2.imwrite(str(tmp_path / 'view.png'), picture)
    view = load_view(tmp_path / 'view.png')
    (found,) = find_detections(restrict_to_view(mask, view), 1, 5)
    assert found.box == (40, 20, 20, 10)
    assert not found.cut


def test_a_blob_that_the_view_cuts_is_cut(mask):
    view = np.full((100, 120), 255, np.uint8)
    view[:, 50:] = 0
    found = find_detections(restrict_to_view(mask, view), 1, 5)
    assert len(found) == 2 and all(d.cut for d in found)


def test_a_view_of_another_size_is_refused(mask):
    with pytest.raises(InputError, match='size of the image'):
        restrict_to_view(mask, np.ones((10, 10), np.uint8))


def test_a_useless_view_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match='view_mask'):
        load_view(tmp_path / 'missing.png')
    cv2.imwrite(str(tmp_path / 'black.png'), np.zeros((10, 10), np.uint8))
    with pytest.raises(ConfigurationError, match='all black'):
        load_view(tmp_path / 'black.png')
