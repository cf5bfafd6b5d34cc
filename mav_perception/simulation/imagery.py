"""Domain-randomised training images: random rooms, lights, drones and viewpoints."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.camera import PinholeCamera
from mav_perception.geometry import OPTICAL_FROM_BODY
from mav_perception.simulation.renderer import Renderer
from mav_perception.types import ByteImage

MAX_DRONES = 4


class RandomImagery:
    """Draws an image with its exact mask from a random number generator.

    The same generator gives the same scene; a few pixels on edges may round differently.
    """

    def __init__(self, width: int, height: int) -> None:
        """Open the renderer for images of this size, horizontal field of view 90 degrees."""
        self._camera = PinholeCamera.with_field_of_view(width, height, np.pi / 2.0)
        self._renderer = Renderer(self._camera)

    def draw(self, rng: np.random.Generator) -> tuple[ByteImage, ByteImage]:
        """Return a (height, width, 3) RGB image and its (height, width) labels, 1 = drone."""
        arena = rng.uniform([6.0, 6.0, 3.0], [16.0, 16.0, 6.0])
        self._renderer.build_world(rng, arena, MAX_DRONES, vary=True)
        eye = rng.uniform([-0.4, -0.4, 0.15], [0.4, 0.4, 0.9]) * arena
        tilt = rng.normal(0.0, 0.12, 2)
        body = Rotation.from_euler('ZYX', [rng.uniform(-np.pi, np.pi), *tilt])
        to_map = body.as_matrix() @ OPTICAL_FROM_BODY.T
        positions = np.stack([self._place(rng, eye, to_map, arena) for _ in range(MAX_DRONES)])
        angles = np.column_stack(
            [rng.uniform(-np.pi, np.pi, MAX_DRONES), rng.normal(0.0, 0.15, (MAX_DRONES, 2))]
        )
        rotations = Rotation.from_euler('ZYX', angles).as_matrix()
        return self._renderer.render_with_mask(eye, to_map, positions, rotations, None)

    def _place(
        self, rng: np.random.Generator, eye: np.ndarray, to_map: np.ndarray, arena: np.ndarray
    ) -> np.ndarray:
        """Return a point inside the room that is mostly in view, or far away for 'no drone'."""
        if rng.random() < 0.35:
            return np.array([0.0, 0.0, -100.0])
        half_x, half_y = self._camera.half_field_of_view
        ray = np.array(
            [np.tan(rng.uniform(-half_x, half_x)), np.tan(rng.uniform(-half_y, half_y)), 1.0]
        )
        distance = np.exp(rng.uniform(np.log(0.8), np.log(9.0)))
        point = eye + to_map @ (ray / np.linalg.norm(ray)) * distance
        return np.clip(point, [*(-arena[:2] / 2.0), 0.1], [*(arena[:2] / 2.0), arena[2]])
