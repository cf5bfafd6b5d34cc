"""What is in a folder of labelled images, and what is to be mended before training on it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from mav_perception.errors import DataError
from mav_perception.io.labelled_images import labelled_pairs, read_pair
from mav_perception.segmentation.labels import UNKNOWN, LabelSpace
from mav_perception.types import ByteImage, IntArray


@dataclass(frozen=True)
class FolderReport:
    """What is in a folder of labelled images.

    Attributes:
        folder: its path.
        images: number of readable pairs.
        sizes: how many images have each (width, height).
        pixels: (C,) pixels of each class.
        images_with: (C,) images that show each class.
        regions: (C,) connected regions of each class: targets, where they do not touch.
        unknown: share of the pixels that count for nothing.
        problems: what has to be mended before training, a line each.
        digests: of the pixels of every image, to find the same one twice.
    """

    folder: Path
    images: int
    sizes: Counter[tuple[int, int]]
    pixels: IntArray
    images_with: IntArray
    regions: IntArray
    unknown: float
    problems: tuple[str, ...]
    digests: dict[bytes, Path]


def check_folder(folder: Path, space: LabelSpace) -> FolderReport:
    """Read every pair of a folder with `images/` and `labels/`.

    Args:
        folder: of one split.
        space: the classes that labels may have.

    Raises:
        DataError: there are no images at all.
    """
    problems: list[str] = []
    pairs = labelled_pairs(folder, problems)
    sizes: Counter[tuple[int, int]] = Counter()
    counts, unknown, total = np.zeros((3, space.size), np.int64), 0, 0
    digests: dict[bytes, Path] = {}
    for image_path, label_path in tqdm(pairs, desc=str(folder), disable=None, leave=False):
        try:
            image, labels = read_pair(image_path, label_path, space.size)
        except DataError as error:
            problems.append(str(error))
            continue
        sizes[labels.shape[1], labels.shape[0]] += 1
        counts += _counts(labels, space.size)
        unknown, total = unknown + int((labels == UNKNOWN).sum()), total + labels.size
        same = digests.setdefault(_digest(image), image_path)
        if same is not image_path:
            problems.append(f'{image_path} has the same pixels as {same}: take one out.')
    if sizes and not counts[0, 1:].any():
        problems.append(_no_target(folder, space, unknown))
    return FolderReport(
        folder=folder,
        images=sum(sizes.values()),
        sizes=sizes,
        pixels=counts[0],
        images_with=counts[1],
        regions=counts[2],
        unknown=unknown / max(total, 1),
        problems=tuple(problems),
        digests=digests,
    )


def shared_images(reports: list[FolderReport]) -> list[str]:
    """Return a line for every image that is in two splits: results on it would be too good."""
    lines, seen = [], dict[bytes, Path]()
    for report in reports:
        lines += [
            f'{path} has the same pixels as {seen[digest]}, of another split: take one out.'
            for digest, path in report.digests.items()
            if digest in seen
        ]
        seen |= report.digests
    return lines


def _counts(labels: ByteImage, classes: int) -> IntArray:
    """Return (3, C) pixels, images and connected regions of every class in one image."""
    pixels = np.bincount(labels.ravel(), minlength=256)[:classes]
    regions = [
        cv2.connectedComponents((labels == c).astype(np.uint8))[0] - 1 if pixels[c] else 0
        for c in range(classes)
    ]
    return np.array([pixels, pixels > 0, regions], np.int64)


def _digest(image: ByteImage) -> bytes:
    return hashlib.sha256(str(image.shape).encode() + image.tobytes()).digest()


def _no_target(folder: Path, space: LabelSpace, unknown: int) -> str:
    wanted = ', '.join(f'{i} {name}' for i, name in enumerate(space.names) if i > 0)
    if unknown and space.size == 2:
        return (
            f'The labels of {folder} are 0 and {UNKNOWN} alone, but {UNKNOWN} means unknown: they '
            f'are read as 0 and 1, with a warning. `dataset import masks` writes {wanted}.'
        )
    return f'No pixel of {folder} shows a target ({wanted}): nothing can be learned from it.'
