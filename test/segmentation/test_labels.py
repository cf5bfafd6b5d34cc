"""Label spaces and their colours."""

import numpy as np
import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.segmentation.labels import UNKNOWN, label_space


def test_overlay_paints_targets_and_leaves_the_rest():
    space = label_space('drone')
    image = np.full((4, 4), 100, np.uint8)
    labels = np.zeros((4, 4), np.uint8)
    labels[0, 0], labels[1, 1] = 1, UNKNOWN
    painted = space.overlay(image, labels)
    assert painted.shape == (4, 4, 3)
    assert (painted[0, 0] != 100).any()
    assert (painted[1:] == 100).all()


def test_unknown_label_space_lists_the_known_ones():
    with pytest.raises(ConfigurationError, match='drone, penstock'):
        label_space('cats')
