"""The fisheye turn against the lens model itself, and the pyramid."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mav_perception.training.warping import Warp, pyramid, sample, sample_labels, warp_map

SIZE = (400, 500)
CENTRE = np.array([249.5, 199.5])
DEGREES = 120.0
FOCAL = 250.0 / np.radians(60.0)


def ray(pixel):
    offset = (pixel - CENTRE) / FOCAL
    angle = np.linalg.norm(offset)
    return np.append(np.sin(angle) * offset / max(angle, 1e-12), np.cos(angle))


def pixel(direction):
    angle = np.arccos(direction[2])
    return CENTRE + FOCAL * angle * direction[:2] / np.linalg.norm(direction[:2])


def test_the_middle_of_the_crop_is_the_source_and_zoom_is_zoom():
    warp = Warp(np.array([300.0, 150.0]), np.array([300.0, 150.0]), 2.0, 0.0, False)
    where = warp_map(warp, (65, 129), SIZE, 0.0)
    np.testing.assert_allclose(where[32, 64], [300.0, 150.0], atol=1e-3)
    np.testing.assert_allclose(where[32, 104] - where[32, 64], [20.0, 0.0], atol=1e-3)
    np.testing.assert_allclose(where[60, 64] - where[32, 64], [0.0, 14.0], atol=1e-3)


def test_a_mirrored_and_turned_view():
    warp = Warp(np.array([250.0, 200.0]), np.array([250.0, 200.0]), 1.0, np.pi / 2, True)
    where = warp_map(warp, (65, 65), SIZE, 0.0)
    step = where[32, 42] - where[32, 32]
    assert abs(step[0]) < 1e-3 and abs(abs(step[1]) - 10.0) < 1e-3


def test_a_turn_of_the_camera_keeps_the_angles_between_rays():
    source, place = np.array([120.0, 260.0]), np.array([330.0, 150.0])
    where = warp_map(Warp(source, place, 1.0, 0.0, False), (129, 129), SIZE, DEGREES)
    np.testing.assert_allclose(where[64, 64], source, atol=0.05)
    turn, _ = Rotation.align_vectors([ray(source)], [ray(place)])
    for row, column in ((30, 40), (100, 64), (64, 110)):
        seen_at = place + np.array([column - 64, row - 64])
        # The smallest turn between the two rays, the one `align_vectors` finds.
        np.testing.assert_allclose(where[row, column], pixel(turn.apply(ray(seen_at))), atol=0.3)


@pytest.mark.parametrize('zoom', [0.25, 0.5, 1.0, 2.0])
def test_pyramid_levels_line_up(zoom):
    rows, columns = np.mgrid[:256, :256]
    ramp = ((rows + columns) / 2).astype(np.uint8)
    middle = np.array([128.0, 128.0])
    where = warp_map(Warp(middle, middle, zoom, 0.0, False), (33, 33), ramp.shape, 0.0)
    crop = sample(pyramid(ramp), where, zoom)
    np.testing.assert_allclose(crop[10:22, 10:22], where[10:22, 10:22].mean(-1), atol=1.5)


def test_labels_beyond_the_image_are_what_was_asked():
    labels = np.zeros((20, 30), np.uint8)
    middle = np.array([0.0, 10.0])
    where = warp_map(Warp(middle, middle, 1.0, 0.0, False), (9, 9), labels.shape, 0.0)
    crop = sample_labels(labels, where, 255)
    assert (crop[:, :4] == 255).all() and (crop[:, 4:] == 0).all()
