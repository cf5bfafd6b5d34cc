"""Regions: what a labelling tool says of an image, whatever its format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as run_lengths  # needs the `train` extra

from mav_perception.errors import DataError
from mav_perception.types import BoolArray, FloatArray


@dataclass(frozen=True)
class Region:
    """Pixels of one name.

    Attributes:
        name: what the tool calls them.
        outline: (n, 2) corners (column, row) of a polygon, or None.
        pixels: (H, W) of the image, where there is no outline.
    """

    name: str
    outline: FloatArray | None = None
    pixels: BoolArray | None = None

    def painted(self, size: tuple[int, int]) -> BoolArray:
        """Return the (rows, columns) mask of the region in an image of (width, height)."""
        if self.pixels is not None:
            return self.pixels
        assert self.outline is not None
        coded = run_lengths.frPyObjects([self.outline.ravel().tolist()], size[1], size[0])
        return np.asarray(run_lengths.decode(run_lengths.merge(coded)), bool)


@dataclass(frozen=True)
class AnnotatedImage:
    """An image and its regions; where they overlap, the later one counts.

    Attributes:
        image: its file.
        size: (width, height) as the tool says.
        regions: named pixels.
        source: file that says so, for messages.
    """

    image: Path
    size: tuple[int, int]
    regions: tuple[Region, ...]
    source: Path


def rectangle(left: float, top: float, right: float, bottom: float) -> FloatArray:
    """Return the corners of a rectangle as an outline."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def outline_of(numbers: Any, where: str) -> FloatArray:
    """Return a flat or nested list of coordinates as an (n, 2) outline.

    Raises:
        DataError: fewer than three corners, or something that is no number.
    """
    try:
        corners = np.array(numbers, float).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise DataError(f'{where}: an outline is no list of numbers ({error}).') from error
    if len(corners) < 3 or not np.isfinite(corners).all():
        raise DataError(f'{where}: an outline needs three corners or more, all finite.')
    return corners


def read_json(path: Path) -> Any:
    """Read a JSON file, or raise DataError that names it."""
    try:
        return json.loads(path.read_text(encoding='utf-8-sig'))
    except (OSError, ValueError) as error:
        raise DataError(f'{path} is no readable JSON: {error}') from error


def beside(name: str, *folders: Path) -> Path:
    """Return an image by its name in the first folder that has it.

    Raises:
        DataError: none has it.
    """
    # A tool on Windows writes its own separators.
    relative = Path(name.replace('\\', '/'))
    for folder in folders:
        for candidate in (folder / relative, folder / relative.name):
            if candidate.is_file():
                return candidate
    looked = ', '.join(str(folder) for folder in folders)
    raise DataError(f'Image {name} is in none of {looked}: put it there.')
