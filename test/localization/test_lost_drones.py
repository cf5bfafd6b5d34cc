"""Who is not where the filter has it, by the hits and misses of the others."""

import numpy as np
import pytest

from mav_perception.localization.lost_drones import LostDroneDetector
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import Sightings


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
