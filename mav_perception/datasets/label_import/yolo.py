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
    """Yield the images of `images/` with their `labels/*.txt`; names come from `data.yaml`.

    An image without a file, or with an empty one, shows nothing.

    Raises:
        DataError: no images, no names, boxes instead of polygons, or a broken line.
    """
    images = image_files(source / 'images')
    if not images:
        raise DataError(f'No images in {source / "images"}: give one split, images/ and labels/.')
    names = _names(source)
    for image in images:
        pixels = read_image(image)
        size = pixels.shape[1], pixels.shape[0]
        file = source / 'labels' / f'{image.stem}.txt'
        regions = tuple(_regions(file, names, size)) if file.is_file() else ()
        yield AnnotatedImage(image, size, regions, file)


def _names(source: Path) -> list[str]:
    for folder in (source, source.parent):
        for file in (folder / 'data.yaml', folder / 'dataset.yaml'):
            if file.is_file():
                try:
                    names = yaml.safe_load(file.read_text())['names']
                    ordered = (
                        [names[k] for k in sorted(names)] if isinstance(names, dict) else names
                    )
                    return [str(name) for name in ordered]
                except (KeyError, TypeError, yaml.YAMLError) as error:
                    raise DataError(f'{file} has no list of names ({error!r}).') from None
        if (folder / 'classes.txt').is_file():
            return (folder / 'classes.txt').read_text().split()
    raise DataError(f'No data.yaml or classes.txt in {source} says what the classes are called.')


def _regions(file: Path, names: list[str], size: tuple[int, int]) -> Iterator[Region]:
    for number, line in enumerate(file.read_text().splitlines(), 1):
        where = f'{file}, line {number}'
        if not line.strip():
            continue
        try:
            kind, *numbers = line.split()
            name, values = names[int(kind)], [float(v) for v in numbers]
        except (ValueError, IndexError) as error:
            raise DataError(f'{where}: {error}; there are {len(names)} classes.') from None
        if len(values) == 4:
            raise DataError(f'{where} is a box without an outline: export polygons (yolo-seg).')
        if len(values) % 2:
            raise DataError(f'{where} has {len(values)} coordinates: an outline has pairs.')
        yield Region(name, outline_of(values, where) * np.array(size))
