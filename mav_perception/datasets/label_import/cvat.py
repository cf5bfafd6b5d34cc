"""CVAT for images 1.1: one XML file, with polygons, boxes and run lengths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from mav_perception.datasets.label_import.regions import (
    AnnotatedImage,
    Region,
    beside,
    outline_of,
    rectangle,
)
from mav_perception.errors import DataError


def read_cvat(source: Path) -> Iterator[AnnotatedImage]:
    """Yield the images of an annotations.xml, given itself or by its folder.

    Raises:
        DataError: no such file, or a broken one.
    """
    file = source if source.is_file() else source / 'annotations.xml'
    try:
        root = ElementTree.parse(file).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise DataError(f'{file} is no readable annotations.xml of CVAT: {error}') from error
    entries = root.findall('image')
    if not entries:
        raise DataError(f'{file} has no <image>: export the task as "CVAT for images 1.1".')
    for entry in entries:
        try:
            size = int(entry.attrib['width']), int(entry.attrib['height'])
            image = beside(entry.attrib['name'], file.parent, file.parent / 'images')
            regions = tuple(_region(shape, size, file) for shape in _by_depth(entry))
        except (KeyError, ValueError) as error:
            raise DataError(f'{file}: {error!r} is missing or wrong.') from None
        yield AnnotatedImage(image, size, regions, file)


def _by_depth(entry: ElementTree.Element) -> list[ElementTree.Element]:
    shapes = [shape for shape in entry if shape.tag != 'tag']
    return sorted(shapes, key=lambda shape: int(shape.get('z_order', '0')))


def _region(shape: ElementTree.Element, size: tuple[int, int], file: Path) -> Region:
    name, told = shape.attrib['label'], shape.attrib
    if shape.tag == 'polygon':
        points = [point.split(',') for point in told['points'].split(';')]
        return Region(name, outline_of(points, f'{file}, a polygon {name}'))
    if shape.tag == 'box':
        corners = rectangle(*(float(told[k]) for k in ('xtl', 'ytl', 'xbr', 'ybr')))
        angle = np.radians(float(told.get('rotation', '0')))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return Region(name, corners.mean(axis=0) + (corners - corners.mean(axis=0)) @ turn.T)
    if shape.tag == 'mask':
        left, top, width, height = (int(told[k]) for k in ('left', 'top', 'width', 'height'))
        lengths = [int(v) for v in told['rle'].split(',')]
        values = np.arange(len(lengths)) % 2 == 1  # background first
        part = np.repeat(values, lengths).reshape(height, width)
        whole = np.zeros(size[::-1], bool)
        whole[top : top + height, left : left + width] = part
        return Region(name, pixels=whole)
    raise DataError(f'{file}: a {shape.tag} named {name} has no area: draw a polygon instead.')
