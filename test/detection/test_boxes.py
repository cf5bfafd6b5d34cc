"""Boxes of any detector become detections: place, size, score, and what is cut."""

import numpy as np
import pytest

from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.boxes import Boxes
from mav_perception.detection.measurements import DetectionParameters, measure_detections

WIDTH, HEIGHT = 640, 512


def boxes(*rows):
    table = np.array(rows, float).reshape(-1, 5)
    return Boxes(table[:, :2], table[:, 2:4], table[:, 4])


def found(given, smallest=1, score=0.0):
    return given.detections(WIDTH, HEIGHT, smallest, score)


def test_a_box_is_where_it_is_and_as_long_as_its_longer_side():
    (detection,) = found(boxes([100.5, 60.5, 40, 12, 0.9]))
    assert detection.box == (81, 55, 40, 12)
    assert detection.area == 480
    assert detection.length == 40.0
    assert detection.score == 0.9
    assert not detection.cut


@pytest.mark.parametrize('centre', [[10, 60], [100, 4], [625, 60], [100, 508]])
def test_a_box_at_the_border_is_cut_and_stays_inside(centre):
    (detection,) = found(boxes([*centre, 40, 12, 0.9]))
    left, top, width, height = detection.box
    assert detection.cut
    assert 0 <= left <= left + width <= WIDTH
    assert 0 <= top <= top + height <= HEIGHT


def test_small_and_doubtful_boxes_are_left_out_and_the_largest_comes_first():
    given = boxes([50, 50, 4, 4, 0.9], [90, 90, 40, 20, 0.3], [200, 90, 30, 20, 0.8])
    assert [d.length for d in found(given)] == [40.0, 30.0, 4.0]
    assert [d.length for d in found(given, smallest=100)] == [40.0, 30.0]
    assert [d.length for d in found(given, score=0.5)] == [30.0, 4.0]


def test_a_box_outside_of_the_image_is_none():
    assert found(boxes([-100, 50, 40, 20, 0.9])) == []


def test_the_view_and_the_pixels_of_the_boxes():
    given = boxes([50, 50, 10, 10, 0.9], [300, 300, 10, 10, 0.8], [900, 50, 10, 10, 0.7])
    view = np.ones((HEIGHT, WIDTH), bool)
    view[:100] = False
    assert given.centred_in(view).scores.tolist() == [0.8]
    assert given.mask(WIDTH, HEIGHT).sum() == 200


def test_a_drone_in_a_box_is_as_far_as_its_width_says():
    camera = PinholeCamera.with_field_of_view(WIDTH, HEIGHT, np.pi / 2)
    parameters = DetectionParameters(target_width=0.5, width_sigma=0.0, edge_sigma=0.01)
    apart = 4.0
    pixels = camera.project(np.array([[-0.25, 0.0, apart], [0.25, 0.0, apart]]))
    given = boxes([*pixels.mean(axis=0), pixels[1, 0] - pixels[0, 0], 10, 0.9])
    sightings = measure_detections(found(given), camera, parameters, 'mav1', 0)
    np.testing.assert_allclose(sightings.positions, [[0.0, 0.0, apart]], atol=0.02)
