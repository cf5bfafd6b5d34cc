"""The operating point of a network whose blobs are known."""

import cv2
import numpy as np
import pytest

from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.operating_point import backgrounds, operating_curve
from mav_perception.evaluation.report.plots import draw_operating_curve
from mav_perception.types import LabelMask

SURE, DOUBTFUL = 230, 160
"""Brightness of a true target, 0.90, and of what merely looks like one, 0.63."""


class SeesEverythingBright:
    """Takes the brightness of a pixel for its confidence, and the bright for targets."""

    def reset(self):
        """Nothing to forget."""

    def segment(self, image):
        return LabelMask((image > 128).astype(np.uint8), image)


def picture(*squares):
    image = np.zeros((512, 640), np.uint8)
    for column, brightness in squares:
        image[200:220, column : column + 20] = brightness
    return image


def labelled(*squares, targets=1):
    """Return an image and labels: the first so many squares are targets."""
    image = picture(*squares)
    return image, (picture(*squares[:targets]) > 0).astype(np.uint8)


SAMPLES = [
    *[labelled((100, SURE)) for _ in range(4)],
    *[labelled((100, SURE), (400, DOUBTFUL)) for _ in range(4)],
]
ELSEWHERE = [picture((50, DOUBTFUL)), picture()]


def test_what_a_gate_leaves_is_counted():
    curve = operating_curve(SeesEverythingBright(), SAMPLES, ELSEWHERE)
    assert curve.at(0.55) == {
        'min_score': 0.55, 'p_d': 1.0, 'false_per_frame': 0.5, 'false_elsewhere': 0.5,
    }  # fmt: skip
    assert curve.at(0.7)['false_per_frame'] == curve.at(0.7)['false_elsewhere'] == 0.0
    assert curve.at(0.95)['p_d'] == 0.0


def test_the_operating_point_lies_between_false_blobs_and_targets(tmp_path):
    curve = operating_curve(SeesEverythingBright(), SAMPLES, ELSEWHERE)
    spares_all = curve.min_score[curve.false_per_image == 0.0].min()
    assert curve.operating_point() == pytest.approx((spares_all + 0.90) / 2.0, abs=0.006)
    draw_operating_curve(curve, 'bright', tmp_path / 'curve.png')
    assert cv2.imread(str(tmp_path / 'curve.png')).std() > 5.0


def test_where_nothing_is_to_be_spared_there_is_no_gate():
    curve = operating_curve(SeesEverythingBright(), [labelled((100, SURE))], [picture()])
    assert curve.operating_point() == 0.0


def test_without_backgrounds_nothing_is_said_of_elsewhere():
    curve = operating_curve(SeesEverythingBright(), SAMPLES, [])
    assert 'false_elsewhere' not in curve.at(0.7)


def test_labels_without_a_target_are_refused():
    with pytest.raises(DataError, match='no target'):
        operating_curve(SeesEverythingBright(), [labelled((100, SURE), targets=0)], [])


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match='No images'):
        backgrounds(tmp_path)


def test_a_network_that_finds_nothing_has_no_operating_point():
    curve = operating_curve(SeesEverythingBright(), [labelled((100, 90))], [])
    with pytest.raises(DataError, match='finds none'):
        curve.operating_point()
