"""A folder that one run at a time writes to."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mav_perception.errors import ConfigurationError, OutputError


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; the operating system gives it back if this one is killed.

    Raises:
        ConfigurationError: another run writes there.
        OutputError: it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / '.lock').open('w')
    except OSError as error:
        raise OutputError(
            f'Cannot write {folder}: {error.strerror or error}. Choose another folder.'
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f'Another run writes to {folder}: wait for its end, or give another --output.'
            ) from None
        yield
