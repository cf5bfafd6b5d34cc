"""Copy-paste augmentation: targets of other images, cut out with their masks, and decoys."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import ByteImage

MARGIN = 4
MIN_SIDE = 12
"""A cut-out with a shorter side is a sliver at an image's edge, not a target."""


@dataclass(frozen=True)
class CutOut:
    """A target: pixels around it, and its class ids (0 beside it)."""

    image: ByteImage
    labels: ByteImage


def cut_out_targets(image: ByteImage, labels: ByteImage) -> list[CutOut]:
    """Cut every target that touches neither the image's edge nor an unknown region."""
    mask = ((labels > 0) & (labels != UNKNOWN)).astype(np.uint8)
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(mask)
    found = []
    for part, (left, top, width, height, _) in enumerate(boxes[1:], start=1):
        window = np.s_[
            max(top - MARGIN, 0) : top + height + MARGIN,
            max(left - MARGIN, 0) : left + width + MARGIN,
        ]
        inside = top > 0 and left > 0
        inside &= top + height < labels.shape[0] and left + width < labels.shape[1]
        whole = inside and not (labels[window] == UNKNOWN).any()
        if whole and min(width, height) >= MIN_SIDE:
            own = np.where(parts[window] == part, labels[window], 0).astype(np.uint8)
            found.append(CutOut(image[window].copy(), own))
    return found


def paste(
    image: ByteImage, labels: ByteImage, target: CutOut, rng: np.random.Generator, decoy: bool
) -> None:
    """Put a cut-out somewhere into a crop, in place: scaled, mirrored, tilted, soft at its rim.

    A decoy has the outline of the target but is filled from elsewhere in the crop, and its label
    is background: otherwise the rim of a pasted patch alone would tell the network 'target'.
    """
    longest = float(np.exp(rng.uniform(np.log(14.0), np.log(120.0))))
    zoom = longest / max(target.labels.shape)
    rows, columns = (max(4, round(n * zoom)) for n in target.labels.shape)
    limit_rows, limit_columns = labels.shape
    if rows >= limit_rows or columns >= limit_columns:
        return
    patch, kind = _tilted(target, (columns, rows), rng)
    top, left = rng.integers(limit_rows - rows), rng.integers(limit_columns - columns)
    window = np.s_[top : top + rows, left : left + columns]
    if decoy:
        y, x = rng.integers(limit_rows - rows), rng.integers(limit_columns - columns)
        elsewhere = np.s_[y : y + rows, x : x + columns]
        if (labels[elsewhere] != 0).any():
            return
        patch = image[elsewhere].copy()
    gain = np.float32(np.exp(rng.normal(0.0, 0.25)))
    alpha = cv2.GaussianBlur((kind > 0).astype(np.float32), (0, 0), float(rng.uniform(0.4, 1.2)))
    alpha = alpha if image.ndim == 2 else alpha[..., None]
    below = image[window].astype(np.float32)
    image[window] = np.clip(below + alpha * (gain * patch - below), 0, 255).astype(np.uint8)
    labels[window][kind > 0] = 0 if decoy else kind[kind > 0]


def _tilted(
    target: CutOut, size: tuple[int, int], rng: np.random.Generator
) -> tuple[ByteImage, ByteImage]:
    image = cv2.resize(target.image, size, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(target.labels, size, interpolation=cv2.INTER_NEAREST)
    if rng.random() < 0.5:
        image, labels = image[:, ::-1].copy(), labels[:, ::-1].copy()
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), float(rng.normal(0.0, 10.0)), 1.0)
    image = cv2.warpAffine(image, turn, size, borderMode=cv2.BORDER_REPLICATE)
    return image, cv2.warpAffine(labels, turn, size, flags=cv2.INTER_NEAREST)  # type: ignore[return-value]
