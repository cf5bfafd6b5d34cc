"""Folders of labelled images: `images/`, and `labels/` with a PNG of the same stem each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.io.images import image_files, read_image
from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import ByteImage


def labelled_pairs(folder: Path, problems: list[str] | None = None) -> list[tuple[Path, Path]]:
    """Pair every image in `folder/images` with the PNG of the same stem in `folder/labels`.

    Args:
        folder: has images/ and labels/.
        problems: takes a line for every image without a label, which is then left out.

    Raises:
        DataError: a folder is missing or empty, or, without `problems`, an image has no label.
    """
    images = image_files(folder / 'images')
    if not images:
        raise DataError(
            f'No images in {folder / "images"}: give a folder with images/ and labels/.'
        )
    pairs = [(image, folder / 'labels' / f'{image.stem}.png') for image in images]
    missing = [label for _, label in pairs if not label.is_file()]
    if missing and problems is not None:
        problems += [f'{label} is missing: its image has no label.' for label in missing]
        return [pair for pair in pairs if pair[1].is_file()]
    if missing:
        raise DataError(f'{len(missing)} images have no label, the first is {missing[0]}.')
    return pairs


def read_pair(image_path: Path, label_path: Path, classes: int) -> tuple[ByteImage, ByteImage]:
    """Read an image and its labels.

    Raises:
        DataError: a file is unreadable, they differ in size, or a label is no class and not 255.
    """
    image, labels = read_image(image_path), read_image(label_path)
    if labels.shape != image.shape[:2]:
        raise DataError(f'{label_path} has shape {labels.shape}, its image {image.shape}.')
    wrong = np.unique(labels[(labels >= classes) & (labels != UNKNOWN)])
    if len(wrong):
        raise DataError(
            f'{label_path} has label {wrong[0]}, but the classes are 0 to {classes - 1} and '
            f'{UNKNOWN} for unknown: correct the file or choose another label space.'
        )
    return image, labels


def folder_samples(folder: Path, classes: int) -> Iterator[tuple[ByteImage, ByteImage]]:
    """Yield the images and labels of a folder, labels of so many classes."""
    return (read_pair(*pair, classes) for pair in labelled_pairs(folder))
