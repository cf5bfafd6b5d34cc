"""Image -> network input and network output -> image, exactly inverse to each other.

An image of any size is scaled to fit the network's input, its aspect ratio kept to a few pixels,
and padded at the right and the bottom; the way back crops the padding and scales to the image's
own size. The network may answer at a fraction of its input's size, down to an eighth: the fitted
size is a multiple of that, so the crop has no fraction of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mav_perception.errors import InputError
from mav_perception.types import ByteImage, FloatArray

COARSEST = 8
"""The largest ratio of a network's input size to that of its logits."""


@dataclass(frozen=True)
class Preprocessing:
    """How a network wants its input.

    Attributes:
        height: rows of the network input.
        width: columns of the network input.
        channels: 1 (grey) or 3 (RGB).
        mean: subtracted from the image after scaling to 0..1.
        std: divides the image after that.
    """

    height: int
    width: int
    channels: int
    mean: float
    std: float

    def scale(self, image: ByteImage) -> float:
        """Return how many pixels of the network input a pixel of the image becomes."""
        return min(self.height / image.shape[0], self.width / image.shape[1])

    def fitted_size(self, image: ByteImage) -> tuple[int, int]:
        """Return rows and columns that the image takes inside the network input."""
        scale = self.scale(image)
        fitted = (COARSEST * max(1, round(n * scale / COARSEST)) for n in image.shape[:2])
        height, width = fitted
        return min(self.height, height), min(self.width, width)

    def fit(self, image: ByteImage) -> ByteImage:
        """Convert channels, scale and pad an image to (height, width[, 3]) uint8.

        Raises:
            InputError: the image is empty, not uint8, or has neither 1 nor 3 channels.
        """
        image = self.with_channels(image)
        rows, columns = self.fitted_size(image)
        if (rows, columns) != image.shape[:2]:
            # To enlarge by areas would show every pixel as a block.
            smaller = rows * columns < image.shape[0] * image.shape[1]
            way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            image = cv2.resize(image, (columns, rows), interpolation=way)  # type: ignore[assignment]
        if (rows, columns) == (self.height, self.width):
            return image
        bottom, right = self.height - rows, self.width - columns
        return cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT)  # type: ignore[return-value]

    def normalise(self, fitted: ByteImage) -> np.ndarray:
        """Turn a fitted image into a (1, channels, height, width) float32 tensor."""
        scale = np.float32(1.0 / (255.0 * self.std))
        tensor = fitted.astype(np.float32) * scale - np.float32(self.mean / self.std)
        return tensor[None, None] if self.channels == 1 else tensor.transpose(2, 0, 1)[None]

    def normalise_batch(self, images: Any) -> Any:
        """Do what `normalise` does to a torch tensor of pixels 0..255, on its device."""
        return images / (255.0 * self.std) - self.mean / self.std

    def restore(self, scores: FloatArray, image: ByteImage) -> FloatArray:
        """Bring one (height/k, width/k) map of the network to the size of `image`, k = 1 .. 8."""
        rows, columns = self.fitted_size(image)
        ratio = self.height // scores.shape[0]
        inner = scores[: rows // ratio, : columns // ratio]
        if inner.shape == image.shape[:2]:
            return inner
        size = (image.shape[1], image.shape[0])
        return cv2.resize(inner, size, interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]

    def with_channels(self, image: ByteImage) -> ByteImage:
        """Return an image as the network wants it, grey or RGB, at its own size."""
        if image.dtype != np.uint8 or image.size == 0 or image.ndim not in (2, 3):
            raise InputError(
                f'An image must be a non-empty uint8 array (rows, columns[, 3]), got '
                f'{image.dtype} {image.shape}: convert it first.'
            )
        found = 1 if image.ndim == 2 else image.shape[2]
        if found not in (1, 3):
            raise InputError(f'An image must have 1 or 3 channels, got {found}: drop the rest.')
        if found == 1:
            grey = image.reshape(image.shape[:2])
            return grey if self.channels == 1 else np.repeat(grey[..., None], 3, axis=2)
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if self.channels == 1 else image  # type: ignore[return-value]
