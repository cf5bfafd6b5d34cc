"""Mask -> detections: connected components of the target class."""

from __future__ import annotations

import cv2
import numpy as np

from mav_perception.errors import InputError
from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import ByteImage, Detection, FloatArray, LabelMask


def find_detections(
    mask: LabelMask, target: int, smallest_area: int, min_score: float = 0.0
) -> list[Detection]:
    """Find the blobs of one class in a mask, the largest first.

    Args:
        mask: class ids and confidence, both (H, W).
        target: class id to look for.
        smallest_area: blobs of fewer pixels are noise and left out.
        min_score: those of lower mean confidence (0..1) too.

    Raises:
        InputError: labels and confidence differ in size.
    """
    labels, confidence = mask.labels, mask.confidence
    if labels.shape != confidence.shape or labels.ndim != 2:
        raise InputError(
            f'Mask {labels.shape} and confidence {confidence.shape} must be images of one size.'
        )
    binary = cv2.inRange(labels, target, target)
    count, components, stats, _ = cv2.connectedComponentsWithStats(binary, connectivity=8)
    found = []
    for index in range(1, count):
        left, top, width, height, area = (int(v) for v in stats[index])
        if area < smallest_area:
            continue
        box = (left, top, width, height)
        inside = components[top : top + height, left : left + width] == index
        score = confidence[top : top + height, left : left + width][inside].mean() / 255.0
        if score < min_score:
            continue
        centroid, extent = _shape(components, confidence, index, box)
        cut = _is_cut(labels, box)
        found.append(
            Detection(
                centroid=centroid,
                box=box,
                area=area,
                score=float(score),
                cut=cut,
                length=extent,
            )
        )
    return sorted(found, key=lambda detection: -detection.area)


def _shape(
    components: np.ndarray, confidence: ByteImage, index: int, box: tuple[int, int, int, int]
) -> tuple[FloatArray, float]:
    """Return centre and length of a blob, every pixel weighted with its probability.

    Around the blob lie pixels that are background with less than certainty: a thin rotor that the
    mask lost. They count as much as they are doubted, which makes both figures finer than a pixel.
    A bar of even weight and length L has the variance (L^2 - 1) / 12 along itself.
    """
    left, top, width, height = box
    margin = 2 + max(width, height) // 8
    rows = slice(max(top - margin, 0), top + height + margin)
    columns = slice(max(left - margin, 0), left + width + margin)
    near = components[rows, columns]
    # At least a trace of weight: a network that is sure of nothing still shows where it looks.
    certain = np.maximum(confidence[rows, columns], 1) * (1.0 / 255.0)
    # Of two classes the loser has what the winner lacks; a neighbouring blob has nothing of this.
    weight = np.where(near == index, certain, np.where(near == 0, 1.0 - certain, 0.0))
    moment = cv2.moments(weight)
    total = moment['m00']
    spread = np.array([[moment['mu20'], moment['mu11']], [moment['mu11'], moment['mu02']]]) / total
    centre = np.array([columns.start + moment['m10'] / total, rows.start + moment['m01'] / total])
    return centre, float(np.sqrt(12.0 * np.linalg.eigvalsh(spread)[-1] + 1.0))


def _is_cut(labels: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    """Tell whether a box touches the image border or a side of it touches unknown pixels."""
    left, top, width, height = box
    right, bottom = left + width, top + height
    if left == 0 or top == 0 or right == labels.shape[1] or bottom == labels.shape[0]:
        return True
    sides = (
        labels[top - 1, left:right],
        labels[bottom, left:right],
        labels[top:bottom, left - 1],
        labels[top:bottom, right],
    )
    return any(bool((side == UNKNOWN).any()) for side in sides)
