"""Drawn things that are no target: own propellers, clutter, and shapes that mean nothing.

Training images often have the own body masked out, and a network that never saw a propeller hub
takes it for a drone. What is drawn is labelled background, also over unknown regions.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mav_perception.types import ByteImage, FloatArray

VARIETY = 2048
"""Seeds of clutter: few enough that a GPU keeps what they draw, too many to be learnt by heart."""


@dataclass(frozen=True)
class Clutter:
    """Something drawn over a crop of its size.

    Attributes:
        brightness: (rows, columns) grey, 0..255, that is added.
        opacity: (rows, columns) share of the crop that it hides, 0..1.
        mirrored: axis along which the crop itself is mirrored to fill it; -1 if it is drawn.
        darkness: factor of the crop's brightness where it fills it.
    """

    brightness: FloatArray
    opacity: FloatArray
    mirrored: int = -1
    darkness: float = 0.0


def draw_clutter(shape: tuple[int, int], seed: int) -> Clutter:
    """Draw a propeller, a heap of parts, a shape, or the outline of a piece of elsewhere."""
    rng = np.random.default_rng(seed)
    kind = rng.random()
    layer: FloatArray = np.zeros((*shape, 2), np.float32)
    if kind > 0.85:
        _shape(layer, rng)
        layer[layer[..., 1] <= 0.5] = 0.0
        way, darkness = int(rng.integers(2)), float(rng.uniform(0.15, 0.9))
        return Clutter(np.zeros_like(layer[..., 1]), layer[..., 1], way, darkness)
    if kind < 0.4:
        _propeller(layer, rng)
    elif kind < 0.65:
        _heap(layer, rng)
    else:
        _shape(layer, rng)
    layer = cv2.GaussianBlur(layer, (0, 0), float(rng.uniform(0.4, 1.5)))  # type: ignore[assignment]
    return Clutter(layer[..., 0] * _shading(shape, rng), layer[..., 1])


def cover(image: ByteImage, labels: ByteImage, clutter: Clutter) -> None:
    """Put clutter over a crop, in place."""
    inside = clutter.opacity > 0.5
    brightness, opacity = clutter.brightness, clutter.opacity
    if clutter.mirrored >= 0:
        # A ragged piece of background at another place, darker: real texture, no meaning. One
        # with a target in it would teach that targets are background.
        if (np.flip(labels, clutter.mirrored)[inside] != 0).any():
            return
        elsewhere = np.flip(image, clutter.mirrored)[inside]
        image[inside] = (elsewhere * clutter.darkness).astype(np.uint8)
    else:
        if image.ndim == 3:
            brightness, opacity = brightness[..., None], opacity[..., None]
        mixed = image * (1.0 - opacity) + brightness
        image[:] = np.clip(mixed, 0, 255).astype(np.uint8)
    labels[inside] = 0


def _propeller(layer: FloatArray, rng: np.random.Generator) -> None:
    """Draw two blades, a motor under them and the hub, as the own camera sees them from near."""
    rows, columns = layer.shape[:2]
    centre = np.array([rng.uniform(0, columns), rows * rng.uniform(0.2, 1.0)])
    radius = float(np.exp(rng.uniform(np.log(5.0), np.log(30.0))))
    flat = rng.uniform(0.4, 1.0)
    angle = rng.uniform(0.0, np.pi)
    length, width = radius * rng.uniform(3.0, 10.0), radius * rng.uniform(0.5, 1.4)
    level = rng.uniform(40.0, 190.0)
    for turn in (angle, angle + np.pi + rng.normal(0.0, 0.3)):
        along = np.array([np.cos(turn), np.sin(turn) * flat])
        across = np.array([-along[1], along[0]])
        stations = np.array([[0, 0.3], [0.3, 1.0], [0.7, 0.8], [1.0, 0.1], [0.6, -0.1], [0, -0.3]])
        outline = centre + stations @ np.array([along * length, across * width])
        _fill(layer, outline, level * rng.uniform(0.7, 1.1))
    if rng.random() < 0.7:
        below = centre + np.array([0.0, radius * rng.uniform(0.6, 1.2)])
        _ellipse(layer, below, radius * np.array([1.1, 0.8]), 0.0, rng.uniform(10.0, 70.0))
        for spoke in np.linspace(-0.8, 0.8, int(rng.integers(2, 6))):
            start = below + np.array([spoke, -0.3]) * radius
            bar = np.array([[0, 0], [0.15, 0], [0.15, 0.8], [0, 0.8]]) * radius
            _fill(layer, start + bar, rng.uniform(80.0, 220.0))
    _hub(layer, centre, radius, flat, rng)


def _hub(
    layer: FloatArray, centre: FloatArray, radius: float, flat: float, rng: np.random.Generator
) -> None:
    """Draw a bell: a light ring, the dark dome on it with holes in its rim, and a cap."""
    oval = radius * np.array([1.0, flat])
    if rng.random() < 0.6:
        foot = centre + np.array([0.0, radius * rng.uniform(0.2, 0.6)])
        _ellipse(layer, foot, rng.uniform(1.2, 1.8) * oval, 0.0, rng.uniform(60.0, 160.0))
    dark = rng.uniform(3.0, 60.0) if rng.random() < 0.7 else rng.uniform(60.0, 200.0)
    _ellipse(layer, centre, oval, 0.0, dark)
    for angle in rng.uniform(0.0, np.pi, rng.integers(0, 7)):
        hole = centre + 0.8 * oval * np.array([np.cos(angle), np.sin(angle)])
        _ellipse(layer, hole, radius * rng.uniform(0.05, 0.15, 2), 0.0, rng.uniform(60.0, 230.0))
    cap = centre - np.array([0.0, radius * flat * rng.uniform(0.0, 0.6)])
    _ellipse(layer, cap, rng.uniform(0.3, 0.7) * oval, 0.0, rng.uniform(5.0, 120.0))
    if rng.random() < 0.6:
        shine = centre + radius * rng.uniform(-0.8, 0.8, 2)
        _ellipse(layer, shine, radius * rng.uniform(0.1, 0.5, 2), 0.0, rng.uniform(180.0, 255.0))


def _heap(layer: FloatArray, rng: np.random.Generator) -> None:
    """Draw a few dark and bright parts close together: bags, shoes, screens, tools."""
    rows, columns = layer.shape[:2]
    centre = rng.random(2) * (columns, rows)
    spread = np.exp(rng.uniform(np.log(6.0), np.log(40.0)))
    for _ in range(rng.integers(1, 8)):
        place = centre + rng.normal(0.0, 0.5, 2) * spread
        size = spread * rng.uniform(0.15, 0.8, 2)
        level = rng.uniform(3.0, 60.0) if rng.random() < 0.7 else rng.uniform(60.0, 250.0)
        if rng.random() < 0.5:
            _ellipse(layer, place, size, rng.uniform(0.0, 180.0), level)
        else:
            corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size
            turn = rng.normal(0.0, 0.3)
            rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            _fill(layer, place + corners @ rotation, level)


def _shape(layer: FloatArray, rng: np.random.Generator) -> None:
    """Draw one ragged outline."""
    rows, columns = layer.shape[:2]
    angles = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    radii = np.exp(rng.uniform(np.log(4.0), np.log(60.0), 2))
    outline = radii * rng.uniform(0.6, 1.1, (24, 1)) * circle
    _fill(layer, rng.random(2) * (columns, rows) + outline, rng.uniform(10.0, 220.0))


def _fill(layer: FloatArray, outline: FloatArray, level: float) -> None:
    cv2.fillPoly(layer, [np.round(outline).astype(np.int32)], (level, 1.0))


def _ellipse(
    layer: FloatArray, centre: FloatArray, radii: FloatArray, degrees: float, level: float
) -> None:
    box = (centre.tolist(), (2.0 * np.maximum(radii, 1.0)).tolist(), float(degrees))
    cv2.ellipse(layer, box, (level, 1.0), -1)


def _shading(shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Return a smooth random gain around 1 for an image's shape."""
    coarse = rng.normal(1.0, 0.25, (5, 6)).astype(np.float32)
    return cv2.resize(np.clip(coarse, 0.3, 1.7), shape[1::-1], interpolation=cv2.INTER_CUBIC)  # type: ignore[return-value]
