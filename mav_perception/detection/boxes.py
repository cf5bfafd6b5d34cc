"""Boxes of anybody's detector -> detections: what a network for boxes gives in place of a mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.types import BoolArray, Detection, FloatArray


@dataclass(frozen=True)
class Boxes:
    """Boxes of one image, in pixels.

    Attributes:
        centres: (n, 2) column and row.
        sizes: (n, 2) width and height.
        scores: (n,) 0..1.
    """

    centres: FloatArray
    sizes: FloatArray
    scores: FloatArray

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.scores)

    def centred_in(self, view: BoolArray) -> Boxes:
        """Return those whose middle lies in a view (H, W)."""
        column, row = np.round(self.centres).astype(np.int64).T
        inside = (column >= 0) & (row >= 0) & (column < view.shape[1]) & (row < view.shape[0])
        inside[inside] = view[row[inside], column[inside]]
        return Boxes(self.centres[inside], self.sizes[inside], self.scores[inside])

    def mask(self, width: int, height: int) -> BoolArray:
        """Return (H, W) True inside of any box: where depth may belong to a drone."""
        inside = np.zeros((height, width), bool)
        for low, high in zip(*self._corners(width, height), strict=True):
            inside[low[1] : high[1], low[0] : high[0]] = True
        return inside

    def detections(
        self, width: int, height: int, smallest_area: int, min_score: float
    ) -> list[Detection]:
        """Return the boxes as detections, the largest first.

        A box has no thin axis: its longer side is that of the drone, which is flat and wide.

        Args:
            width: of the image.
            height: of the image.
            smallest_area: boxes of fewer pixels are left out.
            min_score: those of a lower score too.
        """
        low, high = self._corners(width, height)
        found = []
        for k in range(len(self)):
            columns, rows = (int(v) for v in high[k] - low[k])
            if columns * rows < smallest_area or self.scores[k] < min_score:
                continue
            found.append(
                Detection(
                    centroid=self.centres[k],
                    box=(int(low[k, 0]), int(low[k, 1]), columns, rows),
                    area=columns * rows,
                    score=float(np.clip(self.scores[k], 0.0, 1.0)),
                    cut=bool((low[k] <= 0).any() or (high[k] >= (width, height)).any()),
                    length=float(max(*self.sizes[k], 1.0)),
                )
            )
        return sorted(found, key=lambda detection: -detection.area)

    def _corners(self, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, 2) first pixel and the one after the last, inside of the image."""
        size = (width, height)
        # Pixel centres are whole numbers, so that a box of width w about c covers c +- w / 2.
        low = np.clip(np.round(self.centres - self.sizes / 2.0 + 0.5), 0, size)
        high = np.clip(np.round(self.centres + self.sizes / 2.0 + 0.5), 0, size)
        return low.astype(np.int64), high.astype(np.int64)
