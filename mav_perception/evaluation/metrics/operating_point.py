"""Operating point: the least score of a blob that counts, chosen by what it costs and spares.

A false blob is less sure than a true one, and in rooms that no training has shown by far. A gate
that loses next to nothing on labelled images therefore spares most of them anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.segmentation import counted_blobs, match_blobs
from mav_perception.io.images import image_files, read_image
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.types import ByteImage, Detection, FloatArray

LARGEST_LOSS = 0.01
"""Share of the targets that the operating point may give up."""

GATES = np.round([0.0, *np.arange(0.5, 1.0, 0.01)], 2)
"""Candidates for the least score of a blob that counts; the winner of two classes has 0.5."""


@dataclass(frozen=True)
class OperatingCurve:
    """What a gate on the score leaves, for every gate.

    Attributes:
        min_score: (K,) gates, rising.
        p_d: (K,) share of the labelled targets that are found.
        false_per_image: (K,) false blobs on the labelled images.
        elsewhere: (K,) blobs an image on backgrounds, which show no target; NaN without any.
    """

    min_score: FloatArray
    p_d: FloatArray
    false_per_image: FloatArray
    elsewhere: FloatArray

    def operating_point(self) -> float:
        """Return the gate that spares most false blobs for `LARGEST_LOSS` of the targets.

        Of all that spare as many it is the middle one, with a margin to either side: on few
        images the least sure target, and the surest false blob, are not the last of their kind.
        Where there is no false blob there is no gate.

        Raises:
            DataError: none is found even without a gate.
        """
        if not self.p_d[0]:
            raise DataError('The network finds none of the targets: there is nothing to choose.')
        permitted = self.p_d >= self.p_d[0] - LARGEST_LOSS
        false = np.where(permitted, self.false_per_image + np.nan_to_num(self.elsewhere), np.inf)
        if false[0] == 0.0:
            return 0.0
        best = self.min_score[false == false.min()]
        return float(np.round((max(best.min(), GATES[1]) + best.max()) / 2.0, 2))

    def at(self, min_score: float) -> dict[str, float]:
        """Return the figures at the nearest gate."""
        k = int(np.argmin(np.abs(self.min_score - min_score)))
        figures = {
            'min_score': self.min_score[k],
            'p_d': self.p_d[k],
            'false_per_frame': self.false_per_image[k],
            'false_elsewhere': self.elsewhere[k],
        }
        return {name: round(float(v), 4) for name, v in figures.items() if np.isfinite(v)}


def backgrounds(folder: Path) -> list[ByteImage]:
    """Read the images of a folder, which show no target.

    Raises:
        DataError: there are none, or one is unreadable.
    """
    files = image_files(folder)
    if not files:
        raise DataError(f'No images in {folder}: give a folder of images that show no target.')
    return [read_image(file) for file in files]


def operating_curve(
    segmenter: Segmenter,
    samples: Iterable[tuple[ByteImage, ByteImage]],
    elsewhere: list[ByteImage],
) -> OperatingCurve:
    """Segment labelled images and backgrounds, and count blobs over every gate.

    Args:
        segmenter: the network; its own operating point does not count here.
        samples: images and labels.
        elsewhere: images without a target, from anywhere else; may be empty.

    Raises:
        DataError: the labelled images show no target.
    """
    hits: list[float] = []
    false: list[float] = []
    targets = images = 0
    for image, labels in samples:
        segmenter.reset()
        found, real = counted_blobs(segmenter.segment(image), labels)
        pairs, _ = match_blobs(found, real, 640.0 / labels.shape[1])
        matched = {index for index, _ in pairs}
        hits += [blob.score for index, blob in enumerate(found) if index in matched]
        false += [blob.score for index, blob in enumerate(found) if index not in matched]
        targets, images = targets + len(real), images + 1
    if not targets:
        raise DataError('The labelled images show no target: there is no P_D to choose by.')
    wrong = [blob.score for image in elsewhere for blob in _blobs(segmenter, image)]
    none = np.full(len(GATES), np.nan)
    return OperatingCurve(
        min_score=GATES,
        p_d=_left(hits) / targets,
        false_per_image=_left(false) / images,
        elsewhere=_left(wrong) / len(elsewhere) if elsewhere else none,
    )


def _blobs(segmenter: Segmenter, image: ByteImage) -> list[Detection]:
    segmenter.reset()
    return counted_blobs(segmenter.segment(image), np.zeros(image.shape[:2], np.uint8))[0]


def _left(scores: list[float]) -> FloatArray:
    """Return (K,) how many scores reach each gate."""
    return np.asarray((np.array(scores)[:, None] >= GATES).sum(axis=0), float)
