"""labelme: one JSON file an image."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mav_perception.datasets.label_import.regions import (
    AnnotatedImage,
    Region,
    beside,
    outline_of,
    read_json,
    rectangle,
)
from mav_perception.errors import DataError
from mav_perception.io.images import image_files
from mav_perception.types import BoolArray

CIRCLE_CORNERS = 64


def read_labelme(source: Path) -> Iterator[AnnotatedImage]:
    """Yield the images of a folder of labelme files.

    Raises:
        DataError: no such file, or one that is broken.
    """
    files = [source] if source.is_file() else sorted(source.rglob('*.json'))
    if not files:
        raise DataError(f'No .json files in {source}: give the folder that labelme wrote to.')
    for file in files:
        document = read_json(file)
        try:
            size = int(document['imageWidth']), int(document['imageHeight'])
            regions = tuple(_region(shape, size, file) for shape in document['shapes'])
            image = beside(document['imagePath'], file.parent, source)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DataError(f'{file} is no labelme file: {error!r} is missing or wrong.') from None
        yield AnnotatedImage(image, size, regions, file)


def without_labels(source: Path, used: list[Path]) -> list[Path]:
    """Return the images for which labelme has written nothing: not looked at, or without any."""
    known = {image.resolve() for image in used}
    folders = [source, *(path for path in sorted(source.rglob('*')) if path.is_dir())]
    images = [image for folder in folders for image in image_files(folder)]
    return [image for image in images if image.resolve() not in known]


def _region(shape: dict[str, Any], size: tuple[int, int], file: Path) -> Region:
    kind, name, where = shape.get('shape_type', 'polygon'), str(shape['label']), str(file)
    if kind == 'mask':
        return Region(name, pixels=_mask(shape, size, file))
    if kind in ('polygon', 'oriented_rectangle'):
        return Region(name, outline_of(shape['points'], where))
    points = np.array(shape['points'], float)
    if kind == 'rectangle':
        return Region(name, rectangle(*points.min(axis=0), *points.max(axis=0)))
    if kind == 'circle':
        angle = np.linspace(0.0, 2.0 * np.pi, CIRCLE_CORNERS, endpoint=False)
        radius = np.linalg.norm(points[1] - points[0])
        return Region(name, points[0] + radius * np.column_stack([np.cos(angle), np.sin(angle)]))
    raise DataError(f'{file}: the {kind} named {name} has no area: draw a polygon instead.')


def _mask(shape: dict[str, Any], size: tuple[int, int], file: Path) -> BoolArray:
    try:
        data = np.frombuffer(base64.b64decode(shape['mask'], validate=True), np.uint8)
    except binascii.Error as error:
        raise DataError(f'{file}: a mask is no base64 ({error}).') from error
    part = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    if part is None:
        raise DataError(f'{file}: a mask is no PNG image.')
    left, top = (int(v) for v in shape['points'][0])
    whole = np.zeros(size[::-1], bool)
    room = whole[top : top + part.shape[0], left : left + part.shape[1]]
    room |= part[: room.shape[0], : room.shape[1]] > 0
    return whole
