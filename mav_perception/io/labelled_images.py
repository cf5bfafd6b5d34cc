"""Folders of labelled images: `images/`, and `labels/` with a PNG of the same stem each."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.io.images import IMAGE_SUFFIXES, image_files, read_image
from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import ByteImage


def labelled_pairs(folder: Path, problems: list[str] | None = None) -> list[tuple[Path, Path]]:
    """Pair every image in `folder/images` with the PNG of the same stem in `folder/labels`.

    Args:
        folder: has images/ and labels/.
        problems: takes a line for every image without a label and every label without an image,
            which are then left out.

    Raises:
        DataError: a folder is missing or empty, two images share a label, or, without `problems`,
            an image has none or a label no image.
    """
    images = image_files(folder / 'images')
    if not images:
        raise DataError(
            f'No images in {folder / "images"}: give a folder with images/ and labels/.'
        )
    for one, other in pairwise(sorted(images, key=lambda image: image.stem)):
        if one.stem == other.stem:
            raise DataError(f'{one} and {other.name} share one label: take one of them out.')
    pairs = [(image, folder / 'labels' / f'{image.stem}.png') for image in images]
    stray = sorted({*(folder / 'labels').glob('*.png')} - {label for _, label in pairs})
    if stray and problems is None:
        raise DataError(
            f'{len(stray)} labels have no image, the first is {stray[0]}: bring the images back, '
            f'as one of {", ".join(IMAGE_SUFFIXES)}, or take the labels out.'
        )
    missing = [label for _, label in pairs if not label.is_file()]
    if problems is not None:
        problems += [f'{label} is missing: its image has no label.' for label in missing]
        problems += [
            f'{label} belongs to no image: take it out, or bring the image back.'
            for label in stray
        ]
        return [pair for pair in pairs if pair[1].is_file()]
    if missing:
        raise DataError(f'{len(missing)} images have no label, the first is {missing[0]}.')
    return pairs


def targets_are_255(pairs: list[tuple[Path, Path]], classes: int) -> bool:
    """Tell whether masks of two classes are 0 and 255 throughout, as most tools paint them.

    Then 255 is the target, and a warning says so; beside a 1 anywhere it means unknown.
    """
    if classes != 2:
        return False
    found: set[int] = set()
    for _, label_path in pairs:
        try:
            found |= set(np.unique(read_image(label_path)).tolist())
        except DataError:
            continue  # named when the pair is read
        if not found <= {0, UNKNOWN}:
            return False
    if UNKNOWN in found:
        warnings.warn(
            f'The labels in {pairs[0][1].parent} are 0 and 255 alone: 255 is taken for the '
            'target, not for unknown.',
            stacklevel=3,
        )
    return UNKNOWN in found


def read_pair(
    image_path: Path, label_path: Path, classes: int, target_is_255: bool = False
) -> tuple[ByteImage, ByteImage]:
    """Read an image and its labels.

    Args:
        image_path: of the image.
        label_path: of its labels.
        classes: number of classes.
        target_is_255: see `targets_are_255`.

    Raises:
        DataError: a file is unreadable, they differ in size, or a label is no class and not 255.
    """
    image, labels = read_image(image_path), read_image(label_path)
    if target_is_255:
        labels = np.minimum(labels, 1)
    if labels.ndim == 3:
        raise DataError(
            f'{label_path} is in colour: labels are grey, a class id a pixel. `mav-perception '
            'dataset import masks` makes ids of colours.'
        )
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
    """Yield the images and labels of a folder, labels of so many classes.

    Raises:
        DataError: a file is broken or missing, or, after the last, none showed a target.
    """
    pairs = labelled_pairs(folder)
    return _samples(folder, pairs, classes, targets_are_255(pairs, classes))


def _samples(
    folder: Path, pairs: list[tuple[Path, Path]], classes: int, target_is_255: bool
) -> Iterator[tuple[ByteImage, ByteImage]]:
    shown = False
    for pair in pairs:
        image, labels = read_pair(*pair, classes, target_is_255)
        shown = shown or shows_target(labels)
        yield image, labels
    if not shown:
        raise DataError(no_target(folder))


def shows_target(labels: ByteImage) -> bool:
    """Tell whether any pixel is of a class other than the background."""
    return bool(((labels > 0) & (labels != UNKNOWN)).any())


def no_target(folder: Path) -> str:
    """Return why a folder without a target is of no use."""
    return (
        f'No label in {folder} shows a target, a class above 0: nothing can be learned or '
        'measured there. `mav-perception dataset check` says what the labels hold.'
    )
