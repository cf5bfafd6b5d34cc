"""Image files: which there are, how they are read and written."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mav_perception.errors import DataError, OutputError
from mav_perception.io.files import written_whole
from mav_perception.types import ByteImage

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


def read_image(path: Path) -> ByteImage:
    """Read a file as (H, W) grey or (H, W, 3) RGB uint8, or raise DataError that names it.

    It is turned as its EXIF orientation says, as whoever labelled it saw it.
    """
    _check_name(path)
    try:
        # From memory: of a JPEG that breaks off imread would fill the rest with grey.
        data = path.read_bytes()
        flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except OSError as error:
        raise DataError(f'{path} cannot be read: {error.strerror}.') from error
    except cv2.error as error:
        raise DataError(f'{path} is broken, or larger than OpenCV reads: take it out.') from error
    if image is None:
        raise DataError(
            f'{path} is not a readable image, or breaks off: restore it or take it out.'
        )
    if image.dtype != np.uint8:
        raise DataError(f'{path} has {image.dtype} pixels: convert it to 8 bit.')
    if image.ndim == 3:
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
    return image  # type: ignore[return-value]


def image_files(folder: Path) -> list[Path]:
    """Return the images of a folder by name.

    Raises:
        DataError: a name that is not UTF-8.
    """
    files = sorted(p for p in folder.glob('*') if p.suffix.lower() in IMAGE_SUFFIXES)
    for file in files:
        _check_name(file)
    return files


def _check_name(path: Path) -> None:
    """Refuse a name that no table and no terminal can show; OpenCV crashes at it."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise DataError(
            f'The name {str(path)!a} is not UTF-8, as of an old archive: rename it.'
        ) from None


def write_image(path: Path, image: ByteImage) -> None:
    """Write a file, grey or RGB, or raise OutputError that says that it could not be."""
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    # OpenCV would write half a file on a full disk, and call that good.
    good, data = cv2.imencode(path.suffix, pixels)
    if not good:
        raise OutputError(f'{path} cannot be written: OpenCV knows no such format.')
    with written_whole(path) as part:
        part.write_bytes(data.tobytes())
