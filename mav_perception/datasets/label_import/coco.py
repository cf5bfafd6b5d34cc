"""COCO: one JSON file for all images, with polygons or run lengths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mav_perception.datasets.label_import.regions import (
    AnnotatedImage,
    Region,
    beside,
    outline_of,
    read_json,
)
from mav_perception.errors import DataError


def read_coco(source: Path) -> Iterator[AnnotatedImage]:
    """Yield the images of a COCO file, or of the only one in a folder.

    Raises:
        DataError: no file, more than one, or a broken one.
    """
    file = _file(source)
    document = read_json(file)
    try:
        names = {c['id']: str(c['name']) for c in document['categories']}
        by_image = defaultdict(list)
        for annotation in document.get('annotations', []):
            by_image[annotation['image_id']].append(annotation)
        known = {entry['id'] for entry in document['images']}
        if strange := [image for image in by_image if image not in known]:
            raise DataError(f'{file} has annotations of image {strange[0]!r}, which it has not.')
        for entry in document['images']:
            size = int(entry['width']), int(entry['height'])
            regions = [
                region
                for annotation in by_image[entry['id']]
                for region in _regions(annotation, names, size, file)
            ]
            folders = (file.parent, file.parent / 'images', file.parent.parent / 'images', source)
            image = beside(entry['file_name'], *folders)
            yield AnnotatedImage(image, size, tuple(regions), file)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f'{file} is no COCO file: {error!r} is missing or wrong.') from None


def _file(source: Path) -> Path:
    if source.is_file():
        return source
    files = sorted(source.rglob('*.json'))
    if len(files) != 1:
        raise DataError(
            f'{source} has {len(files)} .json files: give the path of the COCO file itself.'
        )
    return files[0]


def _regions(
    annotation: dict[str, Any], names: dict[int, str], size: tuple[int, int], file: Path
) -> Iterator[Region]:
    name, shape = names[annotation['category_id']], annotation.get('segmentation')
    where = f'{file}, annotation {annotation.get("id")}'
    if not shape:
        raise DataError(f'{where} ({name}) is a box without an outline: draw masks or polygons.')
    if isinstance(shape, list):
        yield from (Region(name, outline_of(part, where)) for part in shape)
        return
    from pycocotools import mask as run_lengths

    rows, columns = shape['size']
    if (columns, rows) != size:
        raise DataError(f'{where} is {columns}x{rows}, its image {size[0]}x{size[1]}.')
    if isinstance(shape['counts'], list):
        shape = run_lengths.frPyObjects(shape, rows, columns)
    yield Region(name, pixels=np.asarray(run_lengths.decode(shape), bool))
