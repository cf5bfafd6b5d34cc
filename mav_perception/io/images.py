"""Images from a file, a folder or a video, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mav_perception.errors import DataError
from mav_perception.types import ByteImage

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


@dataclass(frozen=True)
class NamedImage:
    """An image (H, W) grey or (H, W, 3) RGB and the stem for the files made from it."""

    name: str
    image: ByteImage


def read_image(path: Path) -> ByteImage:
    """Read a file as (H, W) grey or (H, W, 3) RGB uint8, or raise DataError that names it.

    It is turned as its EXIF orientation says, as whoever labelled it saw it.
    """
    image = cv2.imread(str(path), cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    if image is None:
        raise DataError(f'{path} is not a readable image: restore it or take it out.')
    if image.dtype != np.uint8:
        raise DataError(f'{path} has {image.dtype} pixels: convert it to 8 bit.')
    if image.ndim == 3:
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
    return image  # type: ignore[return-value]


def image_files(folder: Path) -> list[Path]:
    """Return the images of a folder by name."""
    return sorted(p for p in folder.glob('*') if p.suffix.lower() in IMAGE_SUFFIXES)


class ImageSource:
    """Iterates over the images of a path; `len` is their number as far as it is known.

    Attributes:
        broken: why files were left out, known once all were asked for.
    """

    def __init__(self, path: Path) -> None:
        """Look at the path.

        Raises:
            DataError: nothing there, a folder without images, or an unreadable video.
        """
        self._path = path
        self.broken: list[str] = []
        self._files: list[Path] = []
        if path.is_dir():
            self._files = image_files(path)
            if not self._files:
                raise DataError(f'No images in {path} (looked for {", ".join(IMAGE_SUFFIXES)}).')
        elif path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
            self._files = [path]
        elif path.is_file():
            capture = cv2.VideoCapture(str(path))
            self._length = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            readable = capture.isOpened()
            capture.release()
            if not readable:
                raise DataError(f'{path} is neither an image nor a video that OpenCV can read.')
        else:
            raise DataError(f'{path} does not exist: give an image, a folder of them or a video.')

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._files) or self._length

    def __iter__(self) -> Iterator[NamedImage]:
        """Yield the images in order."""
        if self._files:
            for file in self._files:
                try:
                    image = read_image(file)
                except DataError as error:
                    self.broken.append(str(error))
                    continue
                yield NamedImage(file.stem, image)
            return
        capture = cv2.VideoCapture(str(self._path))
        index = 0
        while True:
            good, frame = capture.read()
            if not good:
                break
            rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
            yield NamedImage(f'{self._path.stem}_{index:06d}', rgb)  # type: ignore[arg-type]
            index += 1
        capture.release()
