"""Geometry of augmentation: crops as the same lens would see them after a turn of the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mav_perception.types import ByteImage, FloatArray

GRID = 8
"""Output pixels between the points at which the warp is evaluated; linear between them."""


@dataclass(frozen=True)
class Warp:
    """One random view.

    Attributes:
        source: (2,) pixel (column, row) that lands in the middle of the crop.
        place: (2,) where in the lens that point would appear; equal to `source` for no turn.
        zoom: crop pixels per source pixel there.
        angle: rotation, rad.
        mirror: whether columns are mirrored.
    """

    source: FloatArray
    place: FloatArray
    zoom: float
    angle: float
    mirror: bool


def warp_map(
    warp: Warp, crop: tuple[int, int], size: tuple[int, int], lens_degrees: float
) -> FloatArray:
    """Return (rows, columns, 2) float32: the source pixel of every crop pixel.

    A crop pixel lies in the lens at `place` + rotation/zoom times its offset from the middle. Its
    ray by the equidistant model (angle from the axis = radius / focal length) is turned by the
    rotation that takes the ray of `place` to the ray of `source`, and projected back.

    Args:
        warp: the view.
        crop: rows and columns of the crop.
        size: rows and columns of the source image.
        lens_degrees: horizontal field of view of the lens; 0 leaves out the turn.
    """
    rows, columns = crop
    # cv2.resize puts coarse point i at fine pixel (i + 1/2) GRID - 1/2 and repeats the outermost
    # points beyond them, so there is one more all around.
    v, u = ((np.arange(-1, math.ceil(n / GRID) + 1) + 0.5) * GRID - 0.5 for n in crop)
    offset = np.stack(np.meshgrid(u - (columns - 1) / 2, v - (rows - 1) / 2), axis=-1)
    if warp.mirror:
        offset[..., 0] *= -1.0
    cosine, sine = math.cos(warp.angle), math.sin(warp.angle)
    lens = warp.place + offset @ np.array([[cosine, sine], [-sine, cosine]]) / warp.zoom
    if lens_degrees > 0.0:
        centre = (np.array(size[::-1]) - 1.0) / 2.0
        focal = size[1] / 2.0 / math.radians(lens_degrees / 2.0)
        ends = _rays(np.stack([warp.place, warp.source]), centre, focal)
        rays = _rays(lens, centre, focal) @ _turn(ends[0], ends[1]).T
        lens = _pixels(rays, centre, focal)
    else:
        lens = lens + (warp.source - warp.place)
    full = cv2.resize(lens.astype(np.float32), (len(u) * GRID, len(v) * GRID))
    return full[GRID : GRID + rows, GRID : GRID + columns]


def _rays(pixels: FloatArray, centre: FloatArray, focal: float) -> FloatArray:
    offset = (pixels - centre) / focal
    angle = np.linalg.norm(offset, axis=-1, keepdims=True)
    return np.concatenate([offset * np.sinc(angle / np.pi), np.cos(angle)], axis=-1)


def _pixels(rays: FloatArray, centre: FloatArray, focal: float) -> FloatArray:
    radius = np.linalg.norm(rays[..., :2], axis=-1, keepdims=True)
    angle = np.arctan2(radius, rays[..., 2:])
    return centre + focal * rays[..., :2] * angle / np.maximum(radius, 1e-12)


def _turn(start: FloatArray, end: FloatArray) -> FloatArray:
    """Return the smallest rotation that takes unit vector `start` to `end` (Rodrigues)."""
    axis = np.cross(start, end)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + cross + cross @ cross / (1.0 + start @ end)


def sample(levels: tuple[ByteImage, ...], where: FloatArray, zoom: float) -> ByteImage:
    """Look an image up at source pixels, from the pyramid level that does not alias.

    Args:
        levels: the image at full, half, quarter ... size.
        where: (rows, columns, 2) full-size pixels.
        zoom: crop pixels per full-size pixel.
    """
    level = int(np.clip(round(math.log2(1.0 / zoom) - 0.25), 0, len(levels) - 1))
    scale = np.float32(0.5**level)
    at = (where + np.float32(0.5)) * scale - np.float32(0.5)
    return cv2.remap(levels[level], at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)  # type: ignore[call-overload]


def sample_labels(labels: ByteImage, where: FloatArray, outside: int) -> ByteImage:
    """Look class ids up at source pixels; beyond the image they are `outside`."""
    return cv2.remap(  # type: ignore[call-overload]
        labels,
        where,
        None,
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=outside,
    )


def pyramid(image: ByteImage, levels: int = 3) -> tuple[ByteImage, ...]:
    """Return the image at full, half, quarter ... size, averaged over areas."""
    images = [image]
    for _ in range(levels - 1):
        size = (max(1, images[-1].shape[1] // 2), max(1, images[-1].shape[0] // 2))
        images.append(cv2.resize(images[-1], size, interpolation=cv2.INTER_AREA))  # type: ignore[arg-type]
    return tuple(images)
