"""Motion blur and rolling shutter: an image as the weighted mean of sharp ones."""

from __future__ import annotations

import numpy as np

from mav_perception.simulation.flight.sensors import Exposure
from mav_perception.types import ByteImage, FloatArray

SHARP_IMAGES = 6
"""So many renderings make one image with motion in it."""

POINTS = 16
"""At so many instants of a row's exposure the sharp images are interpolated."""


def instants(exposure: Exposure) -> FloatArray:
    """Return (S,) times of the sharp images, seconds from the stamp.

    The stamp is the middle of the exposure of the middle row, as drivers that compensate for
    exposure and readout give it.
    """
    half = (exposure.time + exposure.readout) / 2.0
    return np.linspace(-half, half, SHARP_IMAGES) if half > 0.0 else np.zeros(1)


def row_weights(exposure: Exposure, rows: int) -> FloatArray:
    """Return (rows, S) shares of the sharp images in every row; each row sums to 1."""
    times = instants(exposure)
    if len(times) == 1:
        return np.ones((rows, 1))
    middle = exposure.readout * ((np.arange(rows) + 0.5) / rows - 0.5)
    open_at = middle[:, None] + exposure.time * (np.arange(POINTS) + 0.5 - POINTS / 2) / POINTS
    position = (open_at - times[0]) / (times[1] - times[0])
    hats = np.maximum(1.0 - np.abs(position[:, :, None] - np.arange(len(times))), 0.0)
    return hats.sum(axis=1) / hats.sum(axis=(1, 2))[:, None]


def blend(sharp: list[ByteImage], exposure: Exposure) -> ByteImage:
    """Return one image of S sharp ones of one size, taken at `instants`."""
    if len(sharp) == 1:
        return sharp[0]
    weights = row_weights(exposure, len(sharp[0])).astype(np.float32)
    columns = (-1, *(1,) * (sharp[0].ndim - 1))
    image = sum(w.reshape(columns) * one for w, one in zip(weights.T, sharp, strict=True))
    return np.rint(image).astype(np.uint8)


def add_noise(image: ByteImage, sigma: float, rng: np.random.Generator) -> ByteImage:
    """Return an image (rows, columns, 3) with the grey noise of a sensor, `sigma` grey levels."""
    noise = sigma * rng.standard_normal((*image.shape[:2], 1), np.float32)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)
