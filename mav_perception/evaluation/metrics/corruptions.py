"""What a bad day does to an image: the disturbances under which a model is measured again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np

from mav_perception.types import ByteImage

Corruption = Callable[[ByteImage, np.random.Generator], ByteImage]


def blur(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Blur by a Gaussian of 1/430 of the width: 3 pixels at 1280 columns."""
    return cv2.GaussianBlur(image, (0, 0), image.shape[1] / 430)  # type: ignore[return-value]


def dark(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Halve the exposure."""
    return cv2.convertScaleAbs(image, alpha=0.5)  # type: ignore[return-value]


def bright(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Double the exposure; lights saturate."""
    return cv2.convertScaleAbs(image, alpha=2.0)  # type: ignore[return-value]


def noise(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Add sensor noise of 15 grey levels."""
    return np.clip(image + rng.normal(0.0, 15.0, image.shape), 0, 255).astype(np.uint8)


def jpeg(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Compress to JPEG of quality 30."""
    code = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    flag = cv2.IMREAD_GRAYSCALE if image.ndim == 2 else cv2.IMREAD_COLOR
    return cv2.imdecode(code, flag)  # type: ignore[return-value]


def occlusion(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Cover 20 % of the image with grey blocks of 1/40 of its width."""
    side = max(1, image.shape[1] // 40)
    cells = (-(-image.shape[0] // side), -(-image.shape[1] // side))
    covered = np.kron(rng.random(cells) < 0.2, np.ones((side, side), bool))
    result = image.copy()
    result[covered[: image.shape[0], : image.shape[1]]] = 128
    return result


CORRUPTIONS: dict[str, Corruption] = {
    'blur': blur,
    'dark': dark,
    'bright': bright,
    'noise': noise,
    'jpeg_30': jpeg,
    'occlusion_20': occlusion,
}


def corrupted(
    samples: Iterable[tuple[ByteImage, ByteImage]], name: str, seed: int = 0
) -> Iterator[tuple[ByteImage, ByteImage]]:
    """Yield images under a disturbance of `CORRUPTIONS`, labels as they were."""
    rng = np.random.default_rng(seed)
    return ((CORRUPTIONS[name](image, rng), labels) for image, labels in samples)
