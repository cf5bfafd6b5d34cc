"""Copy-paste augmentation: targets of other images, cut out with their masks, and decoys."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np

from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import ByteImage

MARGIN = 4
SMALLEST, LARGEST = 14.0, 120.0
"""Pixels of the longest side of a pasted target."""

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


@dataclass(frozen=True)
class Pasting:
    """How one cut-out is put into a crop.

    Attributes:
        index: of the cut-out.
        longest: pixels of its longest side in the crop.
        place: (2,) where the free rows and columns are left, as a share of them, 0..1.
        mirror: whether its columns are mirrored.
        degrees: by which it is tilted.
        gain: of its brightness.
        softness: standard deviation of its rim in pixels.
        decoy: whether only its outline is pasted, filled with background of the crop.
        elsewhere: (2,) where that comes from, as `place`.
    """

    index: int
    longest: float
    place: tuple[float, float]
    mirror: bool
    degrees: float
    gain: float
    softness: float
    decoy: bool
    elsewhere: tuple[float, float]

    def size(self, target: CutOut) -> tuple[int, int]:
        """Return rows and columns of the pasted target."""
        zoom = self.longest / max(target.labels.shape)
        rows, columns = (max(4, round(n * zoom)) for n in target.labels.shape)
        return rows, columns


def choose_pasting(cut_outs: int, rng: random.Random) -> Pasting:
    """Choose one of so many cut-outs and what becomes of it; one in four is a decoy."""
    return Pasting(
        index=rng.randrange(cut_outs),
        longest=math.exp(rng.uniform(math.log(SMALLEST), math.log(LARGEST))),
        place=(rng.random(), rng.random()),
        mirror=rng.random() < 0.5,
        degrees=rng.gauss(0.0, 10.0),
        gain=rng.lognormvariate(0.0, 0.25),
        softness=rng.uniform(0.4, 1.2),
        decoy=rng.random() < 0.25,
        elsewhere=(rng.random(), rng.random()),
    )


def paste(image: ByteImage, labels: ByteImage, target: CutOut, chosen: Pasting) -> None:
    """Put a cut-out somewhere into a crop, in place: scaled, mirrored, tilted, soft at its rim.

    A decoy has the outline of the target but is filled from elsewhere in the crop, and its label
    is background: otherwise the rim of a pasted patch alone would tell the network 'target'.
    One that is larger than the crop, or a decoy filled with a target, is left out.
    """
    rows, columns = chosen.size(target)
    free = np.array(labels.shape) - (rows, columns)
    if free.min() <= 0:
        return
    patch, kind = _tilted(target, (columns, rows), chosen)
    top, left = (free * chosen.place).astype(int)
    window = np.s_[top : top + rows, left : left + columns]
    if chosen.decoy:
        y, x = (free * chosen.elsewhere).astype(int)
        elsewhere = np.s_[y : y + rows, x : x + columns]
        if (labels[elsewhere] != 0).any():
            return
        patch = image[elsewhere].copy()
    alpha = cv2.GaussianBlur((kind > 0).astype(np.float32), (0, 0), chosen.softness)
    alpha = alpha if image.ndim == 2 else alpha[..., None]
    below = image[window].astype(np.float32)
    mixed = below + alpha * (np.float32(chosen.gain) * patch - below)
    image[window] = np.clip(mixed, 0, 255).astype(np.uint8)
    labels[window][kind > 0] = 0 if chosen.decoy else kind[kind > 0]


def _tilted(target: CutOut, size: tuple[int, int], chosen: Pasting) -> tuple[ByteImage, ByteImage]:
    image = cv2.resize(target.image, size, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(target.labels, size, interpolation=cv2.INTER_NEAREST)
    if chosen.mirror:
        image, labels = image[:, ::-1].copy(), labels[:, ::-1].copy()
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), chosen.degrees, 1.0)
    image = cv2.warpAffine(image, turn, size, borderMode=cv2.BORDER_REPLICATE)
    return image, cv2.warpAffine(labels, turn, size, flags=cv2.INTER_NEAREST)  # type: ignore[return-value]
