"""Any lens from flat renderings: a fisheye image is put together from the faces of a cube."""

from __future__ import annotations

import cv2
import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.types import ByteImage, FloatArray

FLAT_LIMIT = np.radians(55.0)
"""A distorted lens that sees no farther from its axis is cut from one flat rendering."""

MARGIN = np.radians(1.5)
"""What a rendering shows beyond what is needed of it, for interpolation."""

CUBE = {
    'front': (0.0, 0.0),
    'right': (np.pi / 2.0, 0.0),
    'left': (-np.pi / 2.0, 0.0),
    'down': (0.0, -np.pi / 2.0),
    'up': (0.0, np.pi / 2.0),
    'back': (np.pi, 0.0),
}
"""Turn about y (down) and then about x (right) of the optical frame of every face."""


class Lens:
    """Says which flat renderings a camera needs, and makes its image of them.

    Attributes:
        flat: the ideal camera that every rendering is made with.
        turns: (V, 3, 3) rotations from the optical frame of every rendering to the camera's.
    """

    def __init__(self, camera: PinholeCamera) -> None:
        """Decide for a camera; an ideal one is rendered as it is."""
        self.turns = np.eye(3)[None]
        self._maps: tuple[FloatArray, FloatArray] | None = None
        if _is_ideal(camera):
            self.flat = camera
            return
        columns, rows = np.meshgrid(np.arange(camera.width), np.arange(camera.height))
        rays = camera.unproject(np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float))
        if np.arccos(np.clip(rays[:, 2].min(), -1.0, 1.0)) < FLAT_LIMIT:
            half = np.abs(rays[:, :2] / rays[:, 2:]).max(axis=0) * camera.fx + 2.0
            self.flat, face = _centred(half, camera.fx), np.zeros(len(rays), int)
        else:
            half = np.full(2, camera.fx * np.tan(np.pi / 4.0 + MARGIN))
            self.flat = _centred(half, camera.fx)
            turns = np.stack([_turn(*angles) for angles in CUBE.values()])
            nearest = np.argmax(rays @ turns[:, :, 2].T, axis=1)
            needed, face = np.unique(nearest, return_inverse=True)
            self.turns = turns[needed]
        local = np.einsum('nji,nj->ni', self.turns[face], rays)
        pixels = self.flat.project(local) + np.column_stack(
            [np.zeros(len(rays)), face * self.flat.height]
        )
        shape = (camera.height, camera.width)
        columns, rows = (p.reshape(shape).astype(np.float32) for p in pixels.T)
        self._maps = columns, rows

    def compose(self, renderings: list[ByteImage], smooth: bool = True) -> ByteImage:
        """Return the camera's image of one rendering a turn; labels are not to be smoothed."""
        if self._maps is None:
            return renderings[0]
        how = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
        columns, rows = self._maps
        return np.asarray(cv2.remap(np.concatenate(renderings), columns, rows, how), np.uint8)


def _is_ideal(camera: PinholeCamera) -> bool:
    middle = ((camera.width - 1) / 2.0, (camera.height - 1) / 2.0)
    return (
        camera.model != 'equidistant'
        and not np.any(camera.distortion)
        and np.allclose((camera.cx, camera.cy), middle)
    )


def _centred(half: FloatArray, focal: float) -> PinholeCamera:
    """Return the ideal camera that sees `half` pixels to every side of its axis."""
    width, height = (2 * int(np.ceil(value)) for value in half)
    return PinholeCamera(
        width=width,
        height=height,
        fx=focal,
        fy=focal,
        cx=(width - 1) / 2.0,
        cy=(height - 1) / 2.0,
    )


def _turn(about_down: float, about_right: float) -> FloatArray:
    """Return the rotation that turns a view right by one angle and up by the other."""
    cos, sin = np.cos(about_down), np.sin(about_down)
    down = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    cos, sin = np.cos(about_right), np.sin(about_right)
    right = np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
    return down @ right
