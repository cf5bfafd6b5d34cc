"""The renderer puts pixels where the camera model says, and keeps its memory."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

from mav_perception.cameras.models import PinholeCamera
from mav_perception.geometry import OPTICAL_FROM_BODY
from mav_perception.simulation.rendering.random_scenes import RandomScenes
from mav_perception.simulation.rendering.renderer import Renderer
from mav_perception.simulation.rendering.scene import Scene

CAMERA = PinholeCamera.with_field_of_view(320, 256, np.pi / 2)
BENT = PinholeCamera(
    320, 256, 160.0, 165.0, 150.0, 130.0, 'plumb_bob', np.array([-0.2, 0.03, 1e-3, -1e-3, 0.0])
)
FISHEYE = PinholeCamera(400, 320, 110.0, 110.0, 199.5, 159.5, 'equidistant')
AWAY = (0.0, 0.0, -50.0)


@pytest.fixture
def renderer():
    """Return a function that renders drones at places from a camera that looks along x."""
    scene = Scene()
    scene.build(np.random.default_rng(1), np.array([10.0, 10.0, 4.0]), 2)

    def look(eye, drones, observer=None, camera=CAMERA):
        scene.place(0.0, np.array(drones), np.stack([np.eye(3)] * 2), observer)
        return Renderer(scene, camera).render_with_mask(np.array(eye), OPTICAL_FROM_BODY.T)

    return look


@pytest.mark.parametrize('camera', [CAMERA, BENT], ids=['ideal', 'distorted'])
def test_a_drone_appears_where_it_projects_to(renderer, camera):
    eye = (-3.0, 0.0, 1.5)
    for point in ((0.0, 0.0, 1.5), (0.0, 1.5, 1.0), (1.0, -2.0, 2.5)):
        _, mask = renderer(eye, (point, AWAY), camera=camera)
        row, column = np.argwhere(mask == 1).mean(axis=0)
        optical = (np.array(point) - eye) @ OPTICAL_FROM_BODY.T
        expected = camera.project(optical[None])[0]
        assert np.hypot(column - expected[0], row - expected[1]) < 3.0


def test_a_fisheye_sees_beside_and_behind_itself(renderer):
    for point in ((0.3, 2.0, 1.2), (-0.2, -2.0, 1.8), (1.0, 0.3, 3.0)):
        _, mask = renderer((0.0, 0.0, 1.5), (point, AWAY), camera=FISHEYE)
        row, column = np.argwhere(mask == 1).mean(axis=0)
        optical = (np.array(point) - (0.0, 0.0, 1.5)) @ OPTICAL_FROM_BODY.T
        expected = FISHEYE.project(optical[None])[0]
        assert np.hypot(column - expected[0], row - expected[1]) < 4.0


def test_a_fisheye_image_has_no_seams(renderer):
    """Where two faces of the cube meet, neighbours differ no more than elsewhere."""
    image, _ = renderer((1.7, 0.9, 1.2), (AWAY, AWAY), camera=FISHEYE)
    columns, rows = np.meshgrid(np.arange(FISHEYE.width), np.arange(FISHEYE.height))
    rays = FISHEYE.unproject(np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float))
    face = np.argmax(np.abs(rays), axis=1).reshape(image.shape[:2])
    step = np.abs(np.diff(image[:, :, 0].astype(float), axis=1))
    seam = np.diff(face, axis=1) != 0
    assert seam.sum() > 100
    assert step[seam].mean() < 1.5 * step[~seam].mean() + 1.0


def test_the_observer_does_not_see_itself(renderer):
    eye, drones = (0.0, 0.0, 1.5), ((0.4, 0.0, 1.5), AWAY)
    assert renderer(eye, drones)[1].any()
    assert not renderer(eye, drones, observer=0)[1].any()


def test_the_mask_covers_what_the_drone_changed_in_the_image(renderer):
    eye = (-2.0, 0.0, 1.5)
    with_drone, mask = renderer(eye, ((0.0, 0.0, 1.5), AWAY))
    without, _ = renderer(eye, (AWAY, AWAY))
    changed = np.abs(with_drone.astype(int) - without).max(axis=2) > 0
    assert with_drone.shape == (256, 320, 3)
    assert (changed & (mask == 0)).sum() == 0
    assert (changed & (mask == 1)).sum() > 0.8 * mask.sum()


def test_training_images_are_seeded_and_do_not_grow_memory():
    imagery = RandomScenes(160, 128)

    def megabytes():
        return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 1e6

    first = imagery.draw(np.random.default_rng(0))
    for seed in range(20):
        imagery.draw(np.random.default_rng(seed))
    before = megabytes()
    for seed in range(40):
        imagery.draw(np.random.default_rng(seed))
    assert megabytes() - before < 20.0
    again = imagery.draw(np.random.default_rng(0))
    np.testing.assert_array_equal(again[1], first[1])
    assert (again[0] != first[0]).mean() < 1e-3
