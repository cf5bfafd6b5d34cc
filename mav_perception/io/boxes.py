"""Boxes of images from files: COCO JSON, or a folder of YOLO text files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mav_perception.errors import DataError
from mav_perception.types import FloatArray

BoxTable = dict[str, FloatArray]
"""Image -> (n, 5) column and row of the middle, width, height in pixels, and score."""


def read_boxes(
    path: Path, images: Path | None, size: tuple[int, int] | None, kind: str = ''
) -> BoxTable:
    """Read the boxes of every image.

    Args:
        path: COCO annotations or results (JSON), or a folder of YOLO .txt files, one an image.
        images: COCO annotations that say which images there are, for results.
        size: (width, height) of the images, which YOLO files do not tell.
        kind: class of the boxes, by its number or, in COCO, its name; empty for any.

    Raises:
        DataError: something is missing or broken.
    """
    if path.is_dir():
        if size is None:
            raise DataError(
                f'{path} holds shares of the image size: give --camera, which says it.'
            )
        return _read_yolo(path, size, kind)
    try:
        document = json.loads(path.read_text(encoding='utf-8-sig'))
        if isinstance(document, dict):
            known, items = document, document['annotations']
        else:
            if images is None:
                raise DataError(
                    f'{path} is a list of results: annotations with images are needed.'
                )
            known, items = json.loads(images.read_text(encoding='utf-8-sig')), document
        names = {item['id']: str(item['file_name']) for item in known['images']}
        if kind:
            number = _category(kind, known.get('categories', []), images or path)
            items = [item for item in items if str(item.get('category_id')) == number]
        return _table(names, items)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f'{path} is no COCO file of boxes: {error!r}.') from error


def _category(kind: str, categories: list[dict[str, Any]], path: Path) -> str:
    """Return the number of a class that is told by its name or its number."""
    numbers = {str(item.get('name')): str(item['id']) for item in categories}
    if not numbers and not kind.isdigit():
        raise DataError(f'{path} has no categories: tell class {kind!r} by its number.')
    if numbers and kind not in {*numbers, *numbers.values()}:
        told = ', '.join(f'{number} {name}' for name, number in numbers.items())
        raise DataError(f'{path} has no class {kind!r}, only {told}.')
    return numbers.get(kind, kind)


def _table(names: dict[Any, str], items: list[dict[str, Any]]) -> BoxTable:
    rows: dict[str, list[list[float]]] = {name: [] for name in names.values()}
    for item in items:
        left, top, width, height = (float(v) for v in item['bbox'])
        # COCO counts from the corner of the first pixel, we from its middle.
        middle = [left + width / 2.0 - 0.5, top + height / 2.0 - 0.5]
        score = float(item.get('score', 1.0))
        rows[names[item['image_id']]].append([*middle, width, height, score])
    return {name: np.array(row, float).reshape(-1, 5) for name, row in rows.items()}


def _read_yolo(folder: Path, size: tuple[int, int], kind: str) -> BoxTable:
    files = sorted(folder.glob('*.txt'))
    if not files:
        raise DataError(f'No .txt files in {folder}: give a folder of YOLO labels or results.')
    if kind and not kind.isdigit():
        raise DataError(f'YOLO files number their classes: give a number in place of {kind!r}.')
    return {
        file.stem: np.array(list(_yolo_rows(file, size, kind)), float).reshape(-1, 5)
        for file in files
    }


def _yolo_rows(file: Path, size: tuple[int, int], kind: str) -> Iterator[list[float]]:
    """Yield the rows of a file: class, middle and size in shares of the image, maybe a score."""
    try:
        lines = file.read_text(encoding='utf-8-sig').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{file} is no text of boxes: {error}.') from error
    for number, line in enumerate(lines, 1):
        try:
            values = [float(word) for word in line.split()]
        except ValueError as error:
            raise DataError(f'{file}, line {number}: {error}.') from error
        if not values:
            continue
        if len(values) not in (5, 6) or not np.isfinite(values).all():
            raise DataError(f'{file}, line {number}: {len(values)} numbers, a box has 5 or 6.')
        if kind and values[0] != float(kind):
            continue
        x, y, width, height = (v * s for v, s in zip(values[1:5], (*size, *size), strict=True))
        yield [x - 0.5, y - 0.5, width, height, values[5] if len(values) == 6 else 1.0]
