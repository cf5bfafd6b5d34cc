"""Bearing and range from blobs, against rendered truth."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.measurements import (
    DetectionParameters,
    cartesian_covariances,
    measure_detections,
    measure_mask,
)
from mav_perception.errors import InputError
from mav_perception.types import Detection, LabelMask, Sightings

CAMERA = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)
PARAMETERS = DetectionParameters()


def detection(width, cut=False, column=319.5):
    left = round(column - width / 2)
    centroid = np.array([left + (width - 1) / 2, 255.5])
    return Detection(centroid, (left, 250, width, 12), 12 * width, 0.9, cut, float(width))


@pytest.mark.parametrize('width', [10, 40, 160])
def test_range_is_that_of_an_object_of_the_known_width(width):
    distance = PARAMETERS.target_width * CAMERA.fx / width  # pinhole, on the axis
    exact = replace(PARAMETERS, width_sigma=0.0, edge_sigma=0.01)
    sightings = measure_detections([detection(width)], CAMERA, exact, 'mav1', 7)
    assert np.linalg.norm(sightings.positions[0]) == pytest.approx(distance, rel=0.02)
    assert sightings.stamp_ns == 7


def test_the_range_is_right_on_average_over_widths_that_are():
    wide = replace(PARAMETERS, width_sigma=0.2, edge_sigma=0.01)
    drawn = 40.0 * (1.0 + 0.2 * np.clip(np.random.default_rng(0).standard_normal(4000), -3, 3))
    blobs = [replace(detection(40), length=float(length)) for length in drawn]
    ranges = np.linalg.norm(measure_detections(blobs, CAMERA, wide, 'mav1', 0).positions, axis=1)
    distance = PARAMETERS.target_width * CAMERA.fx / 40.0
    assert ranges.mean() == pytest.approx(distance, rel=0.015)


def test_far_and_cut_blobs_are_less_certain():
    near, far, cut = (
        measure_detections([d], CAMERA, PARAMETERS, 'mav1', 0)
        for d in (detection(60), detection(12), detection(60, cut=True))
    )
    assert far.range_var[0] > near.range_var[0]
    assert cut.range_var[0] > 10 * near.range_var[0]
    assert cut.bearing_var[0] > 10 * near.bearing_var[0]


def test_edges_that_the_network_loses_are_added_to_the_width():
    whole, shrunk = detection(40), detection(34)
    corrected = replace(PARAMETERS, edge_loss=6.0)
    expected = measure_detections([whole], CAMERA, PARAMETERS, 'mav1', 0).positions[0]
    measured = measure_detections([shrunk], CAMERA, corrected, 'mav1', 0).positions[0]
    assert np.linalg.norm(measured) == pytest.approx(np.linalg.norm(expected), rel=0.01)


def test_a_mask_of_another_size_is_refused():
    empty = np.zeros((480, 640), np.uint8)
    with pytest.raises(InputError, match='size of the image'):
        measure_mask(LabelMask(empty, empty), CAMERA, PARAMETERS, 'mav1', 0)


def test_an_empty_mask_gives_an_empty_frame():
    empty = np.zeros((512, 640), np.uint8)
    assert len(measure_mask(LabelMask(empty, empty), CAMERA, PARAMETERS, 'mav1', 0)) == 0


def test_cartesian_covariance_has_the_given_variances_along_and_across():
    position = np.array([[1.0, 2.0, 4.0]])
    sightings = Sightings('mav1', 0, position, np.array([1e-3]), np.array([0.3]))
    covariance = cartesian_covariances(sightings)[0]
    unit = position[0] / np.linalg.norm(position)
    assert unit @ covariance @ unit == pytest.approx(0.3)
    across = np.cross(unit, [0, 0, 1])
    across /= np.linalg.norm(across)
    assert across @ covariance @ across == pytest.approx(21.0 * 1e-3)


def test_exact_masks_of_rendered_drones_give_honest_measurements():
    pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')
    from mav_perception.geometry import OPTICAL_FROM_BODY
    from mav_perception.simulation.rendering.renderer import Renderer
    from mav_perception.simulation.rendering.scene import Scene

    scene, rng = Scene(), np.random.default_rng(0)
    renderer = Renderer(scene, CAMERA)
    scene.build(rng, np.array([10.0, 10.0, 4.0]), 1)
    to_map = OPTICAL_FROM_BODY.T
    relative, angles, bearing_nis, range_nis = [], [], [], []
    for _ in range(150):
        offset = np.array([rng.uniform(1.5, 6.0), *rng.uniform(-0.5, 0.5, 2)])
        yaw = rng.uniform(-np.pi, np.pi)
        turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        eye = np.array([-4.0, 0.0, 1.5])
        scene.place(0.0, (eye + offset)[None], turn[None])
        _, mask = renderer.render_with_mask(eye, to_map)
        sightings = measure_mask(
            LabelMask(mask, np.full_like(mask, 255)), CAMERA, PARAMETERS, 'mav1', 0
        )
        truth = OPTICAL_FROM_BODY @ offset
        measured = sightings.positions[0]
        relative.append(np.linalg.norm(measured) / np.linalg.norm(truth) - 1.0)
        range_error = np.linalg.norm(measured) - np.linalg.norm(truth)
        range_nis.append(range_error**2 / sightings.range_var[0])
        cosine = measured @ truth / np.linalg.norm(measured) / np.linalg.norm(truth)
        angles.append(np.arccos(min(cosine, 1.0)))
        bearing_nis.append(angles[-1] ** 2 / sightings.bearing_var[0] / 2.0)
    # Rotors seen edge-on vanish in single pixels: range errs by its declared share, not more.
    assert abs(np.mean(relative)) < PARAMETERS.width_sigma
    assert abs(np.median(relative)) < 0.05
    assert np.mean(range_nis) < 2.0
    assert np.degrees(np.median(angles)) < 0.5
    assert np.mean(bearing_nis) < 1.5  # the bearing covariance is not too small


def test_without_range_from_size_only_the_bearing_is_measured():
    blind = replace(PARAMETERS, range_from_size=False)
    near, far = (measure_detections([detection(w)], CAMERA, blind, 'mav1', 0) for w in (100, 10))
    assert np.linalg.norm(near.positions) == pytest.approx(np.linalg.norm(far.positions))
    assert far.range_var[0] == pytest.approx(blind.prior_range_sigma**2)


def drone_before_a_wall(blob_depth, wall=8.0):
    """Draw a blob off the axis; one pixel in three shows the wall through it."""
    labels, depth = np.zeros((512, 640), np.uint8), np.full((512, 640), wall)
    labels[100:120, 500:560] = 1
    depth[100:120, 500:560] = blob_depth
    depth[100:120, 500:560:3] = wall
    return LabelMask(labels, np.full_like(labels, 255)), depth


def test_depth_replaces_the_range_by_size():
    mask, depth = drone_before_a_wall(3.0)
    by_size = measure_mask(mask, CAMERA, PARAMETERS, 'mav1', 0)
    by_depth = measure_mask(mask, CAMERA, PARAMETERS, 'mav1', 0, depth)
    assert by_depth.positions[0, 2] == pytest.approx(3.0)
    assert by_depth.range_var[0] < by_size.range_var[0]
    one, other = (s.positions[0] / np.linalg.norm(s.positions[0]) for s in (by_size, by_depth))
    np.testing.assert_allclose(one, other, atol=1e-9)


@pytest.mark.parametrize('nothing', [np.nan, 0.0, -1.0])
def test_a_blob_without_depth_keeps_its_size(nothing):
    mask, depth = drone_before_a_wall(nothing, nothing)
    by_size = measure_mask(mask, CAMERA, PARAMETERS, 'mav1', 0)
    by_depth = measure_mask(mask, CAMERA, PARAMETERS, 'mav1', 0, depth)
    np.testing.assert_allclose(by_depth.positions, by_size.positions)


def test_depth_of_another_size_is_refused():
    mask, _ = drone_before_a_wall(3.0)
    with pytest.raises(InputError, match='register depth'):
        measure_mask(mask, CAMERA, PARAMETERS, 'mav1', 0, np.ones((100, 100)))
