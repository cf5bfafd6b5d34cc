"""What lens, sensor and compression do to light: chosen once, done to an image in order."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np

from mav_perception.types import ByteImage, FloatArray


@dataclass(frozen=True)
class Cover:
    """Grey blocks over up to a quarter of an image, as dirt and leaves on a lens.

    Attributes:
        hidden: (rows, columns) which pixels of the image lie under one.
        level: their grey.
    """

    hidden: np.ndarray
    level: int


@dataclass(frozen=True)
class Exposure:
    """All that is done to the light of one crop.

    Attributes:
        gamma: exponent of the brightness 0..1.
        gains: one a channel, after the exponent.
        offset: of the brightness, after the gains.
        saturation: factor of the distance from grey; 1 for none.
        blur: standard deviation of a Gaussian in pixels; 0 for none.
        motion: (k, k) kernel of a motion along a line, or None.
        cover: blocks over the lens, or None.
        noise: standard deviation of the sensor's noise in grey levels.
        quality: of JPEG, 0 for none.
        seed: of the noise.
    """

    gamma: float
    gains: tuple[float, ...]
    offset: float
    saturation: float
    blur: float
    motion: FloatArray | None
    cover: Cover | None
    noise: float
    quality: int
    seed: int


def choose_exposure(
    size: tuple[int, int],
    channels: int,
    rng: random.Random,
    colour: float = 0.05,
    saturation: float = 0.0,
) -> Exposure:
    """Choose gamma, gain, offset and colour, blur, cover, noise, and compression.

    Args:
        size: rows and columns of the image.
        channels: 1 or 3.
        rng: source of every choice.
        colour: standard deviation of the log gain of one colour against the others.
        saturation: share of the images whose colours get weaker or stronger, 0 to 1.5 times.
    """
    gain, spread = rng.gauss(0.0, 0.4), colour if channels > 1 else 0.0
    coloured = channels > 1 and rng.random() < saturation
    blurred = rng.random()
    return Exposure(
        gamma=rng.lognormvariate(0.0, 0.3),
        gains=tuple(rng.lognormvariate(gain, spread) for _ in range(channels)),
        offset=rng.gauss(0.0, 0.05),
        saturation=rng.uniform(0.0, 1.5) if coloured else 1.0,
        blur=rng.uniform(0.4, 2.5) if blurred < 0.2 else 0.0,
        motion=_motion(rng) if 0.2 <= blurred < 0.33 else None,
        cover=_cover(size, rng) if rng.random() < 0.15 else None,
        noise=rng.uniform(0.0, 10.0) if rng.random() < 0.7 else 0.0,
        quality=rng.randrange(25, 80) if rng.random() < 0.2 else 0,
        seed=rng.randrange(2**31),
    )


def expose(image: ByteImage, chosen: Exposure) -> ByteImage:
    """Return an image (rows, columns[, 3]) as the chosen lens and sensor see it."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    curve = (np.arange(256) / 255.0)[:, None] ** chosen.gamma * chosen.gains + chosen.offset
    table = (np.clip(curve, 0.0, 1.0) * 255.0).astype(np.uint8).reshape(1, 256, channels)
    image = cv2.LUT(image, table)  # type: ignore[assignment]
    if chosen.saturation != 1.0:
        image = _saturated(image, chosen.saturation)
    if chosen.blur:
        image = cv2.GaussianBlur(image, (0, 0), chosen.blur)  # type: ignore[assignment]
    if chosen.motion is not None:
        image = cv2.filter2D(image, -1, chosen.motion)  # type: ignore[assignment]
    if chosen.cover is not None:
        image = _covered(image, chosen.cover)
    if chosen.noise:
        cv2.setRNGSeed(chosen.seed)
        noise = cv2.randn(np.empty(image.shape, np.int16), 0.0, chosen.noise)  # type: ignore[call-overload]
        image = cv2.add(image, noise, dtype=cv2.CV_8U)  # type: ignore[assignment]
    if chosen.quality:
        settings = [cv2.IMWRITE_JPEG_QUALITY, chosen.quality]
        flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
        stored = cv2.imencode('.jpg', image[..., ::-1] if channels == 3 else image, settings)[1]
        image = cv2.imdecode(stored, flag)  # type: ignore[assignment]
        image = image[..., ::-1] if channels == 3 else image  # OpenCV takes and gives BGR
    return image


def _saturated(image: ByteImage, factor: float) -> ByteImage:
    """Return an RGB image with its distance from grey times a factor; 0 leaves grey."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, factor, grey, 1.0 - factor, 0.0)  # type: ignore[return-value]


def _motion(rng: random.Random) -> FloatArray:
    """Return the kernel of a motion of 3 to 9 pixels in any direction."""
    length = rng.randrange(3, 10)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0.0, math.pi)
    arm = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
    ends = np.round((length - 1) / 2 + np.stack([-arm, arm])).astype(int)
    cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0)
    return kernel / kernel.sum()


def _cover(size: tuple[int, int], rng: random.Random) -> Cover:
    cell = rng.randrange(6, 24)
    rows, columns = (-(-side // cell) for side in size)
    many = np.random.default_rng(rng.randrange(2**31))
    blocks = many.random((rows, columns)) < rng.uniform(0.05, 0.25)
    hidden = blocks.repeat(cell, axis=0).repeat(cell, axis=1)[: size[0], : size[1]]
    return Cover(hidden, rng.randrange(256))


def _covered(image: ByteImage, cover: Cover) -> ByteImage:
    """Hide what is under the blocks.

    The labels stay: what is seen of a target between them must be enough.
    """
    result = image.copy()
    result[cover.hidden] = cover.level
    return result
