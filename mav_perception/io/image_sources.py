"""Images from files, folders, patterns, videos, cameras and streams, one after the other."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from mav_perception.errors import DataError
from mav_perception.io.images import IMAGE_SUFFIXES, image_files, read_image
from mav_perception.types import ByteImage

CAMERA = re.compile('[0-9]{1,4}')
"""The number of a camera."""

BROKEN_FRAMES = 30
"""So many frames in a row that cannot be decoded end a video."""


@dataclass(frozen=True)
class NamedImage:
    """An image (H, W) grey or (H, W, 3) RGB and the name for the files made from it."""

    name: str
    image: ByteImage


class ImageSources:
    """Iterates over the images of several sources; no name comes twice.

    Attributes:
        broken: why files were left out, known once all were asked for.
        notices: what else a person should know, likewise.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        """Look at every source: a path, a pattern such as 'a/*.jpg', a camera '0', a URL.

        Raises:
            DataError: nothing there, a folder without images, or a video that cannot be read.
        """
        self.broken: list[str] = []
        self.notices: list[str] = []
        self._parts = [part for source in sources for part in _parts(source)]
        self._names: Counter[str] = Counter()

    @property
    def length(self) -> int | None:
        """Return the number of images as far as files and containers say, None if they do not."""
        lengths = [1 if isinstance(part, Path) else part.length for part in self._parts]
        return sum(lengths) if all(length > 0 for length in lengths) else None

    def __iter__(self) -> Iterator[NamedImage]:
        """Yield the images in order."""
        for part in self._parts:
            if isinstance(part, Path):
                try:
                    yield NamedImage(self._name(part.stem), read_image(part))
                except DataError as error:
                    self.broken.append(str(error))
                continue
            for index, image in part.frames():
                yield NamedImage(self._name(f'{part.name}_{index:06d}'), image)
            self.notices += part.notices
            self.broken += part.broken

    def _name(self, stem: str) -> str:
        """Return a name that no image had before."""
        self._names[stem] += 1
        return stem if self._names[stem] == 1 else self._name(f'{stem}_{self._names[stem]}')


class _Video:
    """A video, a camera or a stream; what its container says of its length is a guess."""

    def __init__(self, source: str) -> None:
        live = bool(CAMERA.fullmatch(source))
        self._source: str | int = int(source) if live else source
        self.name = f'camera{source}' if live else Path(source.split('?')[0]).stem or 'stream'
        self.notices: list[str] = []
        self.broken: list[str] = []
        capture = self._opened()
        self.length = (
            0 if live or '://' in source else max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        )
        capture.release()

    def _opened(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(self._source)
        if not capture.isOpened():
            raise DataError(
                f'{self._source} is no image, and no video, camera or stream that OpenCV can read.'
            )
        return capture

    def frames(self) -> Iterator[tuple[int, ByteImage]]:
        """Yield number and RGB image of all frames; one that cannot be decoded is left out."""
        capture, index, read, failed = self._opened(), 0, 0, 0
        try:
            while failed < BROKEN_FRAMES:
                good, frame = capture.read()
                if good:
                    read, failed = read + 1, 0
                    yield index, cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)  # type: ignore[misc]
                else:
                    failed += 1
                index += 1
        finally:
            capture.release()
        if not read:
            self.broken.append(f'{self._source} gave no frame that can be decoded.')
        elif not self.length:
            self.notices.append(f'{self._source} gives no more frames, after {read}.')
        elif self.length != read:
            self.notices.append(
                f'{self._source}: {read} frames could be read, its container says {self.length}.'
            )


def _parts(source: str) -> list[Path | _Video]:
    """Return the files and videos of a source."""
    path = Path(source)
    if path.is_dir():
        files = image_files(path)
        if not files:
            raise DataError(f'No images in {path} (looked for {", ".join(IMAGE_SUFFIXES)}).')
        return list(files)
    if path.is_file():
        return [path if path.suffix.lower() in IMAGE_SUFFIXES else _Video(source)]
    if path.is_symlink():
        return [path]  # it leads nowhere, which is told when it is read
    if path.exists() or CAMERA.fullmatch(source) or '://' in source:
        return [_Video(source)]
    found = sorted(glob.glob(source, recursive=True)) if glob.has_magic(source) else []
    if found:
        return [part for name in found for part in _parts(name)]
    raise DataError(
        f'{source} does not exist: give images, folders, patterns, videos, the number of a '
        'camera, or the address of a stream.'
    )
