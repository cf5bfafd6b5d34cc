"""Who a sighting truly shows."""

import numpy as np

from mav_perception.localization.measurement.observation import predict_sightings
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.recordings.truth_association import from_camera, identify


def test_a_sighting_belongs_to_the_drone_in_its_direction():
    positions = np.array([[0.0, 0.0, 3.0], [1.0, 0.0, 2.0], [-2.0, 0.0, 2.0]])
    targets = np.array([[1.5, 0.02, 3.0], [0.05, 0.0, 5.0]])
    np.testing.assert_array_equal(identify(positions, targets, np.array([1, 2])), [2, 1, -1])
    assert len(identify(np.zeros((0, 3)), targets, np.array([1, 2]))) == 0


def test_the_camera_looks_where_the_filter_thinks_it_does():
    mount = CameraMount.forward(np.array([0.1, 0.02, 0.3]), np.array([0.1, -0.2, 2.0]))
    mean = np.array([1.0, 2.0, 3.0, 0.7, 4.0, 1.0, 2.5, -1.0])
    roll_pitch = np.array([0.2, -0.1])
    predicted = predict_sightings(
        mean, 1e-12 * np.eye(8), 0, np.array([4]), roll_pitch, mount
    ).points
    seen = from_camera(mean[None, 4:7], mean[:3], np.append(roll_pitch, mean[3]), mount)
    np.testing.assert_allclose(seen, predicted, atol=1e-6)
