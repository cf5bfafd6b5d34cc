"""Files that are there whole or not at all: written beside, then renamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mav_perception.errors import OutputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is written there takes the place of a file when all is well.

    Raises:
        OutputError: the disk is full, the folder read-only or gone; an earlier file is unharmed.
    """
    # A device or a pipe cannot be replaced, and must not be.
    special = path.exists() and not path.is_file()
    part = path if special else path.with_name(f'{path.stem}.part{path.suffix}')
    try:
        yield part
        if not special:
            part.replace(path)
    except OSError as error:
        if not special:
            part.unlink(missing_ok=True)
        raise OutputError(
            f'Cannot write {path}: {error.strerror or error}. Make room or choose another folder.'
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole; see `written_whole`."""
    with written_whole(path) as part:
        part.write_text(text, encoding='utf-8')
