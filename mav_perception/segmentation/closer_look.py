"""A closer look: where the glance at the whole image sees a target, look again in full detail.

The glance scales the image to the network's input, and a far drone is a few pixels of that. A
closer look runs a network of its own on windows of the image, magnified to as much detail as the
image has, and has the last word there: that draws the edges of far targets, and rejects what only
from afar looked like one. It costs a window for each far blob, not the whole image at that size.
"""

from __future__ import annotations

import cv2
import numpy as np

from mav_perception.segmentation.backends import Backend
from mav_perception.segmentation.model_card import ModelCard
from mav_perception.types import ByteImage

MOST_WINDOWS = 6
REACH = 13
"""The look counts within a square of this side around every pixel seen, in the glance's input."""
SMALLEST_GAIN = 1.3
"""A look that magnifies an image by less than this over the glance is not worth its time."""


class CloserLook:
    """Refine the logits of a glance with a second network on windows of the image."""

    def __init__(self, card: ModelCard, backend: Backend, magnification: float) -> None:
        """Join the look's network with how much larger it sees things than the glance does."""
        self.parameters = card.parameters
        self._preprocessing = card.preprocessing
        self._side = np.array([card.height, card.width])
        self._backend = backend
        self._magnification = magnification

    def refine(self, logits: np.ndarray, image: ByteImage, glance_scale: float) -> None:
        """Let the look decide around what the glance took for a target, in place.

        Args:
            logits: (C, H, W) class scores of the glance at the size of the image.
            image: (H, W[, 3]) uint8.
            glance_scale: pixels of the glance's input per pixel of the image.
        """
        # More pixels than the image has would show nothing new.
        scale = min(1.0, glance_scale * self._magnification)
        if scale < SMALLEST_GAIN * glance_scale:
            return
        window = np.minimum(np.round(self._side / scale).astype(int), logits.shape[1:])
        seen = (logits[1:].max(axis=0) > logits[0]).astype(np.uint8)
        reach = np.ones((round(REACH / glance_scale) | 1,) * 2, np.uint8)
        for top, left in choose_windows(seen, (int(window[0]), int(window[1]))):
            part = (slice(top, top + window[0]), slice(left, left + window[1]))
            tensor = self._preprocessing.normalise(self._preprocessing.fit(image[part]))
            self._backend.reset()  # windows are no video
            scores = self._backend.infer(tensor)[0]
            near = cv2.dilate(seen[part], reach) > 0
            seen[part] = 0  # where windows overlap, the first one decides
            for kind, score in enumerate(scores):
                look = self._preprocessing.restore(score, image[part])
                np.copyto(logits[kind][part], look, where=near)


def choose_windows(seen: ByteImage, window: tuple[int, int]) -> list[tuple[int, int]]:
    """Choose windows around the blobs of a mask, each blob wholly in one; the largest go first.

    A blob that fills more than half a window is near enough for the glance.

    Args:
        seen: (H, W) mask, not 0 at what is to be looked at.
        window: rows and columns of a window, at most those of the mask.

    Returns:
        Top row and left column of at most `MOST_WINDOWS` windows inside the image.
    """
    _, _, boxes, _ = cv2.connectedComponentsWithStats(seen, connectivity=8)
    order = np.argsort(-boxes[1:, cv2.CC_STAT_AREA], kind='stable') + 1
    chosen: list[tuple[int, int]] = []
    for left, top, width, height, _ in boxes[order].tolist():
        if 2 * height > window[0] or 2 * width > window[1]:
            continue
        if any(
            row <= top <= row + window[0] - height and column <= left <= column + window[1] - width
            for row, column in chosen
        ):
            continue
        centred = np.array([top + height // 2, left + width // 2]) - np.array(window) // 2
        row, column = np.clip(centred, 0, np.array(seen.shape) - window).tolist()
        chosen.append((row, column))
        if len(chosen) == MOST_WINDOWS:
            break
    return chosen
