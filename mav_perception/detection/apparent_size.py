"""Range from how large a target looks."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.types import FloatArray


class ApparentSize(Protocol):
    """How large targets look: what `DetectionParameters` and a fitted sensor model say of it."""

    @property
    def target_width(self) -> float:
        """Return the width of a target, metres."""

    @property
    def width_sigma(self) -> float:
        """Return its spread with attitude, as a share."""

    @property
    def edge_loss(self) -> float:
        """Return the width that the network loses, pixels."""

    @property
    def edge_sigma(self) -> float:
        """Return the noise of a blob edge, pixels."""


def ranges_by_size(
    length: FloatArray, pixel_angle: FloatArray, size: ApparentSize
) -> tuple[FloatArray, FloatArray]:
    """Return (n,) ranges in metres, right on average, and their standard deviations as shares.

    r = W / (2 tan((l + loss) a / 2)) / (1 + s^2) with a the angle of a pixel, and s of attitude
    and of both edges: s^2 = s_W^2 + 2 (s_edge / (l + loss))^2. Of a width that is right on average
    the inverse is too long by 1 + s^2, to second order.

    Args:
        length: (n,) of the blobs, pixels.
        pixel_angle: (n,) radians a pixel.
        size: how large targets look.
    """
    width = length + size.edge_loss
    half_angle = np.maximum(width * pixel_angle, 1e-4) / 2.0
    share = np.hypot(size.width_sigma, np.sqrt(2.0) * size.edge_sigma / width)
    distance = size.target_width / (2.0 * np.tan(np.minimum(half_angle, 1.5)))
    return distance / (1.0 + share**2), share


def angles_of_pixels(
    centroid: FloatArray, length: FloatArray, camera: PinholeCamera
) -> FloatArray:
    """Return (n,) radians a pixel, over the length of each blob about its centroid."""
    half = np.column_stack([length / 2.0, np.zeros(len(length))])
    left, right = camera.unproject(centroid - half), camera.unproject(centroid + half)
    angle = np.arccos(np.clip((left * right).sum(axis=1), -1.0, 1.0))
    return angle / length
