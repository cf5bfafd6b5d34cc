"""Mask images: palette, grey of 8 or 16 bit, or colours; Pascal VOC is a folder of such."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from mav_perception.datasets.label_import.regions import AnnotatedImage, Region
from mav_perception.errors import DataError
from mav_perception.io.images import image_files

IMAGE_FOLDERS = ('images', 'JPEGImages')
MASK_FOLDERS = ('masks', 'labels', 'SegmentationClass')


def read_masks(source: Path) -> Iterator[AnnotatedImage]:
    """Yield images and the regions of their masks, named by value or, with a map, by class.

    A palette image or a grey one has values, '7'; a colour one has '#rrggbb'. A `labelmap.txt`
    with lines `name:r,g,b` names colours. Value 0 and black are background.

    Raises:
        DataError: no images or masks, or a mask is missing or broken.
    """
    images, masks = (_folder(source, names) for names in (IMAGE_FOLDERS, MASK_FOLDERS))
    names = _label_map(source / 'labelmap.txt')
    files = {file.stem: file for file in image_files(masks)}
    stems = {image.stem for image in image_files(images)}
    if strange := sorted(set(files) - stems):
        raise DataError(f'{files[strange[0]]} belongs to no image in {images}.')
    for image in image_files(images):
        if image.stem not in files:
            # VOC labels a part of its images; elsewhere a missing mask is a mistake.
            if masks.name == 'SegmentationClass':
                continue
            raise DataError(f'{image} has no mask of the same name in {masks}.')
        values = _read(files[image.stem])
        yield AnnotatedImage(
            image,
            (values.shape[1], values.shape[0]),
            tuple(
                Region(names.get(_name(value), _name(value)), pixels=_equal(values, value))
                for value in _distinct(values)
            ),
            files[image.stem],
        )


def _folder(source: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        if image_files(source / name):
            return source / name
    raise DataError(f'{source} has no images in any of {", ".join(names)}.')


def _label_map(file: Path) -> dict[str, str]:
    """Read lines `name:r,g,b:parts:actions`, as CVAT and datumaro write them."""
    names = {}
    lines = file.read_text().splitlines() if file.is_file() else []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith('#'):
            continue
        try:
            name, colour = line.split(':')[:2]
            names[_name(np.array([int(v) for v in colour.split(',')], np.uint8))] = name
        except ValueError as error:
            raise DataError(f'{file}, line {number} is not name:r,g,b ({error}).') from None
    return names


def _read(file: Path) -> np.ndarray:
    """Return (H, W) values or (H, W, 3) colours of a mask."""
    try:
        with Image.open(file) as picture:
            mapped = picture.mode == 'P' and not (file.parent.parent / 'labelmap.txt').is_file()
            if mapped or picture.mode in ('L', 'I', 'I;16', '1'):
                return np.array(picture).astype(np.int64)
            if picture.mode not in ('P', 'PA', 'LA', 'RGB', 'RGBA'):
                raise DataError(f'{file} is of mode {picture.mode}: save it as an 8-bit PNG.')
            colours = np.array(picture.convert('RGBA'))
            return np.where(colours[..., 3:] == 0, 0, colours[..., :3])  # what nobody sees
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f'{file} is no readable mask: {error}') from error


def _distinct(values: np.ndarray) -> np.ndarray:
    if values.ndim == 2:
        return np.unique(values[values != 0])
    colours = np.unique(values.reshape(-1, 3), axis=0)
    return colours[colours.any(axis=1)]


def _equal(values: np.ndarray, value: np.ndarray) -> np.ndarray:
    same = values == value
    return same if values.ndim == 2 else same.all(axis=2)


def _name(value: np.ndarray) -> str:
    return str(int(value)) if np.ndim(value) == 0 else '#{:02x}{:02x}{:02x}'.format(*value)
