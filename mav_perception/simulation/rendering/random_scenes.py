"""Domain-randomised training images: random rooms, lights, lenses, clutter and viewpoints."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.cameras.models import PinholeCamera
from mav_perception.geometry import OPTICAL_FROM_BODY
from mav_perception.simulation.rendering.moving_objects import plan_moving_objects
from mav_perception.simulation.rendering.renderer import Renderer
from mav_perception.simulation.rendering.scene import Scene
from mav_perception.types import ByteImage, FloatArray

MAX_DRONES = 4
PINHOLE_SHARE = 0.7
"""Share of images through an ideal 90 degree lens; the others through a 180 degree fisheye."""


class RandomScenes:
    """Draws an image with its exact mask from a random number generator.

    The same generator gives the same scene; a few pixels on edges may round differently.
    """

    def __init__(self, width: int, height: int) -> None:
        """Open the renderers for images of this size."""
        focal, middle = width / np.pi, ((width - 1) / 2.0, (height - 1) / 2.0)
        self._scene = Scene()
        self._cameras = tuple(
            (camera, Renderer(self._scene, camera))
            for camera in (
                PinholeCamera.with_field_of_view(width, height, np.pi / 2.0),
                PinholeCamera(
                    width=width,
                    height=height,
                    fx=focal,
                    fy=focal,
                    cx=middle[0],
                    cy=middle[1],
                    model='equidistant',
                ),
            )
        )

    def draw(self, rng: np.random.Generator) -> tuple[ByteImage, ByteImage]:
        """Return a (height, width, 3) RGB image and its (height, width) labels, 1 = drone."""
        arena = rng.uniform([6.0, 6.0, 3.0], [16.0, 16.0, 6.0])
        brightness = float(np.exp(rng.uniform(np.log(0.5), np.log(1.3))))
        self._scene.build(
            rng, arena, MAX_DRONES, True, brightness, int(rng.integers(7)),
            plan_moving_objects(rng, int(rng.integers(4)), arena),
        )  # fmt: skip
        camera, renderer = self._cameras[int(rng.random() > PINHOLE_SHARE)]
        eye = rng.uniform([-0.4, -0.4, 0.15], [0.4, 0.4, 0.9]) * arena
        tilt = rng.normal(0.0, 0.12, 2)
        body = Rotation.from_euler('ZYX', [rng.uniform(-np.pi, np.pi), *tilt])
        to_map = body.as_matrix() @ OPTICAL_FROM_BODY.T
        positions = np.stack([_place(rng, camera, eye, to_map, arena) for _ in range(MAX_DRONES)])
        angles = np.column_stack(
            [rng.uniform(-np.pi, np.pi, MAX_DRONES), rng.normal(0.0, 0.15, (MAX_DRONES, 2))]
        )
        rotations = Rotation.from_euler('ZYX', angles).as_matrix()
        self._scene.place(float(rng.uniform(0.0, 60.0)), positions, rotations)
        return renderer.render_with_mask(eye, to_map)


def _place(
    rng: np.random.Generator,
    camera: PinholeCamera,
    eye: FloatArray,
    to_map: FloatArray,
    arena: FloatArray,
) -> FloatArray:
    """Return a point inside the room that is mostly in view, or far away for 'no drone'."""
    if rng.random() < 0.35:
        return np.array([0.0, 0.0, -100.0])
    ray = camera.unproject(rng.uniform([0.0, 0.0], [camera.width, camera.height])[None])[0]
    point = eye + to_map @ ray * np.exp(rng.uniform(np.log(0.8), np.log(9.0)))
    return np.clip(point, [*(-arena[:2] / 2.0), 0.1], [*(arena[:2] / 2.0), arena[2]])
