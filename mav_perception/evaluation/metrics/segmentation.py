"""Measure masks against labels: IoU per class, and blobs as detections."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from mav_perception.detection.blobs import find_detections
from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import ByteImage, Detection, FloatArray, LabelMask

MATCH_PX = 20.0
"""A predicted blob is a hit if its centroid lies this near to a labelled one, at 640 columns."""

MIN_BLOB = 20
"""Blobs of fewer pixels at 640 columns do not count."""


def counted_blobs(
    guess: LabelMask, truth: ByteImage, min_score: float = 0.0
) -> tuple[list[Detection], list[Detection]]:
    """Return the blobs of a guess, those that are sure enough, and those of its labels."""
    smallest = round(MIN_BLOB * (truth.shape[1] / 640.0) ** 2)
    labels = np.where(truth == UNKNOWN, 0, guess.labels).astype(np.uint8)
    found = find_detections(LabelMask(labels, guess.confidence), 1, smallest, min_score)
    return found, find_detections(LabelMask.certain(truth), 1, smallest)


def match_blobs(
    found: list[Detection], real: list[Detection], scale: float
) -> tuple[list[tuple[int, int]], FloatArray]:
    """Pair found and labelled blobs one to one, the nearest pairs altogether.

    Args:
        found: blobs of a guess.
        real: blobs of the labels.
        scale: pixels at 640 columns per pixel of the image.

    Returns:
        (found, real) index pairs nearer than `MATCH_PX`, and their distances at 640 columns.
    """
    if not (found and real):
        return [], np.zeros(0)
    a = np.array([d.centroid for d in found])
    b = np.array([d.centroid for d in real])
    distance = scale * np.linalg.norm(a[:, None] - b, axis=2)
    rows, columns = linear_sum_assignment(np.minimum(distance, 2.0 * MATCH_PX))
    near = distance[rows, columns] < MATCH_PX
    pairs = list(zip(rows[near].tolist(), columns[near].tolist(), strict=True))
    return pairs, distance[rows, columns][near]


@dataclass
class SegmentationScore:
    """Running counts over images; `confusion[truth, guess]` counts labelled pixels."""

    confusion: np.ndarray
    min_score: float = 0.0
    targets: int = 0
    hits: int = 0
    false_blobs: int = 0
    images: int = 0
    centroid_errors: list[float] = field(default_factory=list)

    @classmethod
    def of_classes(cls, classes: int, min_score: float = 0.0) -> SegmentationScore:
        """Start at zero for a number of classes; blobs below `min_score` are no detections."""
        return cls(np.zeros((classes, classes), np.int64), min_score)

    @property
    def iou(self) -> list[float]:
        """Return intersection over union per class; 0 for a class that never occurs."""
        both = np.diag(self.confusion)
        union = self.confusion.sum(0) + self.confusion.sum(1) - both
        return [float(b / u) if u else 0.0 for b, u in zip(both, union, strict=True)]

    def add(self, guess: LabelMask, truth: ByteImage) -> None:
        """Count one image; pixels labelled 255 do not count, nor do blobs that lie on them."""
        counted = truth != UNKNOWN
        classes = len(self.confusion)
        index = truth[counted].astype(np.int64) * classes + guess.labels[counted]
        self.confusion += np.bincount(index, minlength=classes**2).reshape(classes, classes)
        self._match_blobs(guess, truth)
        self.images += 1

    def _match_blobs(self, guess: LabelMask, truth: ByteImage) -> None:
        scale = 640.0 / truth.shape[1]
        found, real = counted_blobs(guess, truth, self.min_score)
        self.targets += len(real)
        pairs, errors = match_blobs(found, real, scale)
        hits = len(pairs)
        self.centroid_errors += errors.tolist()
        self.hits += hits
        self.false_blobs += len(found) - hits

    def figures(self) -> dict[str, float | list[float]]:
        """Return the measured figures under the names of the evaluation command."""
        iou = self.iou
        return {
            'iou': [round(v, 4) for v in iou],
            'mean_iou': round(float(np.mean(iou)), 4),
            'p_d': round(self.hits / max(self.targets, 1), 4),
            'false_per_frame': round(self.false_blobs / max(self.images, 1), 4),
            'centroid_px_median': round(float(np.median(self.centroid_errors or [np.nan])), 3),
        }
