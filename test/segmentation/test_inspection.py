"""Area shares of a mask."""

import numpy as np

from mav_perception.segmentation.inspection import area_shares
from mav_perception.segmentation.labels import label_space


def test_shares_are_of_the_known_pixels():
    labels = np.full((4, 5), 255, np.uint8)
    labels[0] = [0, 0, 1, 2, 1]
    shares = area_shares(labels, label_space('penstock'))
    np.testing.assert_allclose(shares, [0.4, 0.4, 0.2, 0.0])


def test_an_unknown_image_has_no_shares():
    shares = area_shares(np.full((4, 5), 255, np.uint8), label_space('penstock'))
    np.testing.assert_array_equal(shares, np.zeros(4))
