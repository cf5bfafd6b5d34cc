"""Odometry of the whole team: how far back it reaches."""

import numpy as np
import pytest

from mav_perception.geometry import quaternion_from_euler
from mav_perception.localization.odometry.history import MIN_WINDOW
from mav_perception.localization.odometry.team_odometry import TeamOdometry
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import OdometrySample, nanoseconds

LEVEL = quaternion_from_euler(np.zeros(3))
PARAMETERS = FilterParameters()


@pytest.mark.parametrize('window', [5.0, MIN_WINDOW, 600.0])
def test_the_path_is_known_over_the_whole_window(window):
    odometry = TeamOdometry(1, window)
    for second in range(1500):
        sample = OdometrySample(nanoseconds(second), np.array([0.1 * second, 0.0, 0.0]), LEVEL)
        odometry.add(0, sample, PARAMETERS)
    stamps = np.array([nanoseconds(1499.0 - window), nanoseconds(1499.0)])
    np.testing.assert_allclose(
        odometry.histories[0].path(stamps).position[:, 0], [149.9 - 0.1 * window, 149.9]
    )


def test_silence_and_unknown_turns_count_from_the_newest_sample():
    odometry = TeamOdometry(2)
    odometry.add(0, OdometrySample(nanoseconds(1.8e9), np.zeros(3), LEVEL), PARAMETERS)
    later = nanoseconds(1.8e9 + 4.0)
    assert odometry.silent_for(0, later) == pytest.approx(4.0)
    assert odometry.silent_for(1, later) == np.inf
    turns = odometry.unknown_turns(later, PARAMETERS)
    np.testing.assert_allclose(turns, [4.0 * PARAMETERS.gap_yaw_noise**2, 0.0])
