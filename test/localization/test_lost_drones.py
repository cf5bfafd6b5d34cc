"""Who is lost, and by how much another pose must beat the filter's."""

import numpy as np
import pytest

from mav_perception.localization.lost_drones import (
    RIGHT_ODDS,
    LostDroneDetector,
    odds_to_beat,
)
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import Sightings

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


def test_misses_speak_against_a_drone_and_detections_for_it():
    def after(marginal, frames):
        detector = LostDroneDetector(2)
        report = UpdateReport(
            sightings=Sightings('mav1', 0, np.zeros((0, 3)), np.zeros(0), np.zeros(0)),
            candidates=np.array([1]), view_probability=np.ones(1),
            detection_probability=np.array([0.7]),
            marginal=np.array([marginal]), outside_gate=0, events=1, dropped=0.0,
            log_evidence=0.0, new_evidence=1.0, nis=0.0, nis_size=0,
        )  # fmt: skip
        for _ in range(frames):
            detector.weigh(report, 0)
        return detector

    everybody = np.ones(2, bool)
    assert not len(after([1.0], 12).lost(everybody))  # 0.3^12 is not yet e^-15
    np.testing.assert_array_equal(after([1.0], 13).lost(everybody), [1])
    assert after([0.9, 0.1], 3)._evidence[1] == pytest.approx(3.0 * np.log(0.3 / 0.1))
