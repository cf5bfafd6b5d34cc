"""Associations of a live flight against its truth."""

import numpy as np

from mav_perception.evaluation.flight.flight_associations import (
    AssociatedFrame,
    flight_association_log,
)
from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.localization.team.camera_mount import CameraMount

MOUNT = CameraMount.forward(np.zeros(3), np.zeros(3))


def hovering(x, pitch=0.0):
    log = DroneLog(np.zeros(4))
    for stamp in (4 * 10**8, 6 * 10**8):
        log.truth.append((stamp, np.array([x, 0.0, 1.0, 0.0])))
        log.roll_pitch.append((stamp, np.array([0.0, pitch])))
    return log


def frame(points, taken, nis=(0.0, 0)):
    return AssociatedFrame(5 * 10**8, 0, MOUNT, np.array(points), np.array(taken), *nis)


def test_right_wrong_and_false_sightings_land_in_their_cells():
    frames = [
        frame([[0.0, 0.0, 4.0], [2.0, 0.0, 2.0]], [1, -1], (5.0, 3)),
        frame([[0.0, 0.0, 4.0]], [-1]),
        frame([[-2.0, 0.0, 2.0]], [7]),  # a static object
        frame(np.zeros((0, 3)), np.zeros(0, int)),
    ]
    associations = flight_association_log(frames, [hovering(0.0), hovering(4.0)])
    np.testing.assert_array_equal(associations.confusion, [[0, 0, 0], [0, 1, 1], [0, 0, 2]])
    np.testing.assert_array_equal(associations.nis_table(), [[5.0, 3.0]])


def test_the_attitude_of_the_observer_counts():
    tilted = [hovering(0.0, pitch=0.3), hovering(4.0)]  # nose down: the other one is seen above
    ahead = [[0.0, 0.0, 4.0]]
    above = [[0.0, -4.0 * np.sin(0.3), 4.0 * np.cos(0.3)]]
    assert flight_association_log([frame(ahead, [1])], tilted).confusion[2, 1] == 1.0
    assert flight_association_log([frame(above, [1])], tilted).confusion[1, 1] == 1.0
