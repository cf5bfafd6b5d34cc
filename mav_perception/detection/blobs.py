"""Mask -> detections: connected components of the target class."""

from __future__ import annotations

import cv2
import numpy as np

from mav_perception.errors import InputError
from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import Detection, LabelMask


def find_detections(mask: LabelMask, target: int, smallest_area: int) -> list[Detection]:
    """Find the blobs of one class in a mask, the largest first.

    Args:
        mask: class ids and confidence, both (H, W).
        target: class id to look for.
        smallest_area: blobs of fewer pixels are noise and left out.

    Raises:
        InputError: labels and confidence differ in size.
    """
    labels, confidence = mask.labels, mask.confidence
    if labels.shape != confidence.shape or labels.ndim != 2:
        raise InputError(
            f'Mask {labels.shape} and confidence {confidence.shape} must be images of one size.'
        )
    binary = (labels == target).astype(np.uint8)
    count, components, stats, centroids = cv2.connectedComponentsWithStats(binary, connectivity=8)
    found = []
    for index in range(1, count):
        left, top, width, height, area = (int(v) for v in stats[index])
        if area < smallest_area:
            continue
        box = (left, top, width, height)
        inside = components[top : top + height, left : left + width] == index
        score = confidence[top : top + height, left : left + width][inside].mean() / 255.0
        cut = _is_cut(labels, box)
        found.append(Detection(centroids[index], box, area, float(score), cut))
    return sorted(found, key=lambda detection: -detection.area)


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
