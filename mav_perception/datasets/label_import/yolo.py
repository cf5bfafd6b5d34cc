"""YOLO segmentation: a text file an image, polygons in shares of its size."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from mav_perception.datasets.label_import.regions import AnnotatedImage, Region, outline_of
from mav_perception.errors import DataError
from mav_perception.io.images import image_files, read_image


def read_yolo(source: Path) -> Iterator[AnnotatedImage]:
    """Yield the images of one split with their text files; names come from `data.yaml`.

    An image without a file, or with an empty one, shows nothing.

    Args:
        source: of one split: a folder of `images/` and `labels/`, or `images/train`, whose labels
            are in `labels/train`.

    Raises:
        DataError: no images, no names, boxes instead of polygons, or a broken line.
    """
    source = source.absolute()
    images, labels = _split(source)
    names = _names(source)
    stems = {image.stem for image in images}
    files = sorted(labels.glob('*.txt'))
    if strange := [file for file in files if file.stem not in stems]:
        raise DataError(f'{strange[0]} belongs to no image: bring it back, or take the file out.')
    if not files:
        raise DataError(f'No .txt files in {labels}: give a split that has both.')
    for image in images:
        pixels = read_image(image)
        size = pixels.shape[1], pixels.shape[0]
        file = labels / f'{image.stem}.txt'
        regions = tuple(_regions(file, names, size)) if file.is_file() else ()
        yield AnnotatedImage(image, size, regions, file)


def _split(source: Path) -> tuple[list[Path], Path]:
    """Return the images of a split and the folder of its labels."""
    if images := image_files(source / 'images'):
        return images, source / 'labels'
    if (images := image_files(source)) and source.parent.name == 'images':
        return images, source.parent.with_name('labels') / source.name
    splits = sorted(f for f in source.glob('images/*') if image_files(f))
    advice = f'give one of its splits, such as {splits[0]}' if splits else 'give one split'
    raise DataError(f'No images in {source / "images"}: {advice}, which has images and labels.')


def _names(source: Path) -> dict[int, str]:
    """Return what each class id is called."""
    root = source if (source / 'images').is_dir() else source.parent.parent
    for folder in (root, root.parent):
        for file in (folder / 'data.yaml', folder / 'dataset.yaml'):
            if file.is_file():
                try:
                    names = yaml.safe_load(file.read_text())['names']
                    pairs = names.items() if isinstance(names, dict) else enumerate(names)
                    return {int(index): str(name) for index, name in pairs}
                except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
                    raise DataError(f'{file} has no list of names ({error!r}).') from None
        if (folder / 'classes.txt').is_file():
            return dict(enumerate((folder / 'classes.txt').read_text().splitlines()))
    raise DataError(f'No data.yaml or classes.txt in {source} says what the classes are called.')


def _regions(file: Path, names: dict[int, str], size: tuple[int, int]) -> Iterator[Region]:
    for number, line in enumerate(file.read_text().splitlines(), 1):
        where = f'{file}, line {number}'
        if not line.strip():
            continue
        try:
            kind, *numbers = line.split()
            name, values = names[int(kind)], [float(v) for v in numbers]
        except (ValueError, KeyError) as error:
            raise DataError(f'{where}: {error!r} is no class or no number.') from None
        if len(values) == 4:
            raise DataError(f'{where} is a box without an outline: export polygons (yolo-seg).')
        if len(values) % 2:
            raise DataError(f'{where} has {len(values)} coordinates: an outline has pairs.')
        yield Region(name, outline_of(values, where) * np.array(size))
