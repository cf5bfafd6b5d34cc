"""COCO: one JSON file for all images, with polygons or run lengths."""

from __future__ import annotations

from collections import Counter, defaultdict
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
        for part, noun in (('images', 'image'), ('categories', 'category')):
            twice = [i for i, n in Counter(e['id'] for e in document[part]).items() if n > 1]
            if twice:
                raise DataError(
                    f'{file} has {noun} id {twice[0]!r} more than once, as of two files put '
                    'together: give each an id of its own.'
                )
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
    counts = shape['counts']
    runs = counts if isinstance(counts, list) else _uncompressed(counts)
    if min(runs, default=0) < 0 or sum(runs) != rows * columns:  # what lacks would be noise
        raise DataError(f'{where}: its run lengths do not add up to {columns}x{rows} pixels.')
    if isinstance(counts, list):
        shape = run_lengths.frPyObjects(shape, rows, columns)
    yield Region(name, pixels=np.asarray(run_lengths.decode(shape), bool))


def _uncompressed(counts: str | bytes) -> list[int]:
    """Return run lengths from the text of COCO: five bits a character, then deltas."""
    runs: list[int] = []
    value = shift = 0
    for character in counts.encode() if isinstance(counts, str) else counts:
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs
