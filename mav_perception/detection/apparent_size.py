"""Range from how large a target looks."""

from __future__ import annotations

from typing import Protocol

import numpy as np

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
