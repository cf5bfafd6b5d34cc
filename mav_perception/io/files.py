"""Files that are there whole or not at all: written beside, then renamed."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mav_perception.errors import OutputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is written there takes the place of a file when all is well.

    Raises:
        OutputError: the disk is full, the folder read-only or gone; an earlier file is unharmed.
    """
    # A device or a pipe cannot be replaced, and must not be; of a link, its target is.
    special = path.is_absolute() and path.parts[1:2] in (('dev',), ('proc',))
    special = special or (path.exists() and not path.is_file())
    target = path if special else path.resolve()
    part = target if special else target.with_name(f'{target.stem}.part{target.suffix}')
    try:
        try:
            yield part
            if not special:
                if target.exists():
                    shutil.copymode(target, part)
                part.replace(target)
        except BaseException:
            if not special:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(
            f'Cannot write {path}: {error.strerror or error}. Make room or choose another folder.'
        ) from error


@contextmanager
def restored_on_failure(*paths: Path) -> Iterator[None]:
    """Bring files back to what they were, gone if they were not there, if not all goes well."""
    before = {path: path.read_bytes() if path.is_file() else None for path in paths}
    try:
        yield
    except BaseException:
        for path, data in before.items():
            if data is None:
                path.unlink(missing_ok=True)
            elif not path.is_file() or path.read_bytes() != data:
                path.write_bytes(data)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole; see `written_whole`."""
    with written_whole(path) as part:
        part.write_text(text, encoding='utf-8')


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file as a whole, with null for NaN and infinity, which JSON has not."""
    write_text(path, json.dumps(_without_nan(value), indent=2, allow_nan=False) + '\n')


def _without_nan(value: Any) -> Any:
    """Return dictionaries and lists with None for NaN and infinity."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
