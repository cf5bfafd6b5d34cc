"""The renderer puts pixels where the camera model says, and keeps its memory."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

from mav_perception.camera import PinholeCamera
from mav_perception.geometry import OPTICAL_FROM_BODY
from mav_perception.simulation.imagery import RandomImagery
from mav_perception.simulation.renderer import Renderer
from mav_perception.simulation.scenario import Scenario
from mav_perception.simulation.world import SimulatedWorld

CAMERA = PinholeCamera.with_field_of_view(320, 256, np.pi / 2)


@pytest.fixture
def renderer():
    instance = Renderer(CAMERA)
    instance.build_world(np.random.default_rng(1), np.array([10.0, 10.0, 4.0]), 2, vary=False)
    return instance


def test_a_drone_appears_where_it_projects_to(renderer):
    eye, to_map = np.array([-3.0, 0.0, 1.5]), OPTICAL_FROM_BODY.T
    for point in ((0.0, 0.0, 1.5), (0.0, 1.5, 1.0), (1.0, -2.0, 2.5)):
        drones = np.array([point, (0.0, 0.0, -50.0)])
        _, mask = renderer.render_with_mask(eye, to_map, drones, np.stack([np.eye(3)] * 2), None)
        row, column = np.argwhere(mask == 1).mean(axis=0)
        expected = CAMERA.project(((np.array(point) - eye) @ to_map)[None])[0]
        assert np.hypot(column - expected[0], row - expected[1]) < 3.0


def test_the_observer_does_not_see_itself(renderer):
    eye, drones = np.array([0.0, 0.0, 1.5]), np.array([[0.4, 0.0, 1.5], [0.0, 0.0, -50.0]])
    poses = (eye, OPTICAL_FROM_BODY.T, drones, np.stack([np.eye(3)] * 2))
    assert renderer.render_with_mask(*poses, None)[1].any()
    assert not renderer.render_with_mask(*poses, 0)[1].any()


def test_the_mask_covers_what_the_drone_changed_in_the_image(renderer):
    eye, to_map, turns = np.array([-2.0, 0.0, 1.5]), OPTICAL_FROM_BODY.T, np.stack([np.eye(3)] * 2)
    here = np.array([[0.0, 0.0, 1.5], [0.0, 0.0, -50.0]])
    away = np.full((2, 3), -50.0)
    with_drone, mask = renderer.render_with_mask(eye, to_map, here, turns, None)
    without = renderer.render(eye, to_map, away, turns, None)
    changed = np.abs(with_drone.astype(int) - without).max(axis=2) > 0
    assert with_drone.shape == (256, 320, 3)
    assert (changed & (mask == 0)).sum() == 0
    assert (changed & (mask == 1)).sum() > 0.8 * mask.sum()


def test_training_images_are_seeded_and_do_not_grow_memory():
    imagery = RandomImagery(160, 128)

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


def test_cameras_of_a_team_take_turns():
    world = SimulatedWorld(Scenario(drones=3, duration=2.0, frame_rate=5.0))
    observers = [world.tick(i).observers for i in range(len(world.times))]
    frames = [sum(d in o for o in observers) for d in range(3)]
    assert all(abs(f - 10) <= 1 for f in frames)
    assert max(len(o) for o in observers) == 1
    assert world.render(world.tick(0), observers[0][0]).shape == (512, 640, 3)
