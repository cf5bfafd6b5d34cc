"""Refinement: crops around the targets of the coarse pass, magnified and segmented again.

The coarse pass scales the image to the network's input, where a far drone is a few pixels. A
second network segments crops of the image, magnified, and its result replaces the coarse one
there: that draws the edges of far targets, and rejects what only looked like one at low
resolution. It costs a crop for each far blob, not the whole image. An image without more detail
is magnified too: the second opinion is worth as much as the detail.
"""

from __future__ import annotations

import cv2
import numpy as np

from mav_perception.segmentation.backend import Backend
from mav_perception.segmentation.model_card import ModelCard
from mav_perception.types import ByteImage

MAX_CROPS = 6
REACH = 13
"""The refinement counts within a square of this side around every target pixel of the coarse pass,
in pixels of its input."""


class CropRefiner:
    """Refine the logits of the coarse pass with a second network on crops of the image."""

    def __init__(self, card: ModelCard, backend: Backend, magnification: float) -> None:
        """Join the second network; `magnification` is that over the coarse pass."""
        self.parameters = card.parameters
        self._preprocessing = card.preprocessing
        self._side = np.array([card.height, card.width])
        self._backend = backend
        self._magnification = magnification

    def warm_up(self) -> None:
        """Run once, so that the first target is not the slow one."""
        blank = self._preprocessing.fit(np.zeros(self._side, np.uint8))
        self._backend.infer(self._preprocessing.normalise(blank))

    def refine(self, logits: np.ndarray, image: ByteImage, coarse_scale: float) -> None:
        """Replace, in place, the logits around what the coarse pass took for a target.

        Args:
            logits: (C, H, W) class scores of the coarse pass at the size of the image.
            image: (H, W[, 3]) uint8.
            coarse_scale: pixels of the coarse pass's input per pixel of the image.
        """
        side = self._side / (coarse_scale * self._magnification)
        height, width = np.round(side).astype(int).tolist()
        seen = (logits[1:].max(axis=0) > logits[0]).astype(np.uint8)
        reach = np.ones((round(REACH / coarse_scale) | 1,) * 2, np.uint8)
        for top, left in choose_crops(seen, (height, width)):
            part = (slice(top, top + height), slice(left, left + width))
            tensor = self._preprocessing.normalise(self._preprocessing.fit(image[part]))
            self._backend.reset()  # crops are no video
            scores = self._backend.infer(tensor)[0]
            near = cv2.dilate(seen[part], reach) > 0
            seen[part] = 0  # where crops overlap, the first one decides
            for kind, score in enumerate(scores):
                refined = self._preprocessing.restore(score, image[part])
                np.copyto(logits[kind][part], refined, where=near)


def choose_crops(seen: ByteImage, crop: tuple[int, int]) -> list[tuple[int, int]]:
    """Choose crops around the blobs of a mask, each blob wholly in one; the largest go first.

    A blob that fills more than half a crop is large enough in the coarse pass.

    Args:
        seen: (H, W) mask, not 0 at the targets.
        crop: rows and columns of a crop; a mask that is smaller lies in it wholly.

    Returns:
        Top row and left column of at most `MAX_CROPS` crops inside the image.
    """
    _, _, boxes, _ = cv2.connectedComponentsWithStats(seen, connectivity=8)
    order = np.argsort(-boxes[1:, cv2.CC_STAT_AREA], kind='stable') + 1
    inside = np.minimum(crop, seen.shape)
    chosen: list[tuple[int, int]] = []
    for left, top, width, height, _ in boxes[order].tolist():
        if 2 * height > crop[0] or 2 * width > crop[1]:
            continue
        if any(
            row <= top <= row + crop[0] - height and column <= left <= column + crop[1] - width
            for row, column in chosen
        ):
            continue
        centred = np.array([top + height // 2, left + width // 2]) - inside // 2
        row, column = np.clip(centred, 0, np.array(seen.shape) - inside).tolist()
        chosen.append((row, column))
        if len(chosen) == MAX_CROPS:
            break
    return chosen
