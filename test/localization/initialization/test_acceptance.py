"""Whether a pose that was found takes the place of the filter's."""

import numpy as np
import pytest

from mav_perception.localization.initialization.acceptance import RIGHT_ODDS, odds_to_beat

SURE = np.diag([0.01, 0.01, 0.01, 0.01])
HERE = np.array([1.0, 2.0, 0.5, 3.1])


def test_a_pose_near_the_filters_has_little_to_beat_and_one_far_away_much():
    assert odds_to_beat(HERE.copy(), SURE, HERE, SURE) == 0.0
    near = HERE + np.array([0.1, 0.0, 0.0, 0.0])
    assert odds_to_beat(near, SURE, HERE, SURE) == pytest.approx(0.25)
    assert odds_to_beat(HERE + np.array([3.0, 0.0, 0.0, 0.0]), SURE, HERE, SURE) == RIGHT_ODDS
    # After a long silence the filter is not sure itself.
    assert odds_to_beat(HERE + np.array([3.0, 0.0, 0.0, 0.0]), SURE, HERE, 9.0 * np.eye(4)) < 0.6


def test_yaw_goes_round():
    turned = HERE.copy()
    turned[3] = -3.1
    assert odds_to_beat(turned, SURE, HERE, SURE) < 0.2
