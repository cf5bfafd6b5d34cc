"""A furnished hall: textured walls, boxes, pillars, bright lamps and dark patches."""

from __future__ import annotations

import cv2
import numpy as np
from panda3d.core import NodePath

from mav_perception.simulation.rendering.meshes import box, grey_texture
from mav_perception.types import ByteImage, FloatArray


def surface_pattern(rng: np.random.Generator, size: int = 128) -> ByteImage:
    """Draw a random grey texture: coarse and fine noise, stripes and rectangles."""
    base, contrast = rng.uniform(50, 200), rng.uniform(5, 45)
    image = np.full((size, size), base, np.float32)
    for cells in (4, 16, 64):
        noise = rng.standard_normal((cells, cells)).astype(np.float32)
        image += cv2.resize(noise, (size, size)) * np.float32(contrast / np.sqrt(cells / 4))
    if rng.random() < 0.5:
        phase = np.arange(size) * 2.0 * np.pi * rng.integers(2, 10) / size
        stripes = np.sign(np.sin(phase)) * rng.uniform(5, 40)
        image += (stripes if rng.random() < 0.5 else stripes[:, None]).astype(np.float32)
    for _ in range(rng.integers(0, 5)):
        corner, extent = rng.integers(0, size, 2), rng.integers(4, size // 3, 2)
        patch = image[corner[0] : corner[0] + extent[0], corner[1] : corner[1] + extent[1]]
        patch[:] = rng.uniform(10, 245)
    return np.clip(image, 0, 255).astype(np.uint8)


def build_room(rng: np.random.Generator, arena: FloatArray) -> NodePath:
    """Return a hall one metre larger than `arena` on every side, with things along its walls."""
    room = NodePath('room')
    size = np.asarray(arena, float) + np.array([2.0, 2.0, 1.0])
    shell = box(size, inward=True, texture_scale=float(rng.uniform(0.15, 0.5)))
    shell.setPos(0, 0, float(size[2] / 2.0))
    for face in shell.getChildren():
        face.setTexture(grey_texture(surface_pattern(rng)))
    shell.reparentTo(room)
    for _ in range(rng.integers(8, 16)):
        _put_box(room, rng, size)
    for _ in range(rng.integers(4, 10)):
        lamp = box(np.array([rng.uniform(0.3, 1.5), 0.15, 0.06]))
        lamp.setPos(
            *(rng.uniform(-0.4, 0.4, 2) * size[:2]), float(size[2] - rng.uniform(0.1, 0.6))
        )
        lamp.setH(float(rng.choice([0.0, 90.0])))
        lamp.setLightOff()
        lamp.reparentTo(room)
    return room


def _put_box(room: NodePath, rng: np.random.Generator, size: FloatArray) -> None:
    """Stand a box or pillar of random size against one of the four walls."""
    extent = rng.uniform([0.2, 0.2, 0.3], [1.2, 1.2, 3.0])
    item = box(extent, texture_scale=float(rng.uniform(0.5, 2.0)))
    along = rng.uniform(-0.45, 0.45)
    inset = 0.5 - rng.uniform(0.0, 0.06)
    side = rng.choice([-1.0, 1.0])
    place = (along, side * inset) if rng.random() < 0.5 else (side * inset, along)
    item.setPos(place[0] * size[0], place[1] * size[1], float(extent[2] / 2.0))
    item.setH(float(rng.uniform(0, 90)))
    item.setTexture(grey_texture(surface_pattern(rng)))
    item.reparentTo(room)
