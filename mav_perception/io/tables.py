"""Tables of numbers as text, plain or gzipped."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.types import FloatArray


def read_table(folder: Path, name: str, suffix: str, hint: str) -> tuple[Path, FloatArray]:
    """Return the path and the (rows, columns) numbers of NAME.SUFFIX or NAME.SUFFIX.gz.

    Raises:
        DataError: the file is missing, then with the hint, or broken.
    """
    for path in (folder / f'{name}.{suffix}', folder / f'{name}.{suffix}.gz'):
        if path.is_file():
            opener = gzip.open if path.suffix == '.gz' else open
            try:
                with opener(path, 'rt') as stream:
                    return path, np.loadtxt(stream, comments='#', ndmin=2)
            except (OSError, ValueError, EOFError) as error:
                raise DataError(f'{path} is broken ({error}): download it again.') from error
    raise DataError(f'{folder} has no {name}.{suffix} or .{suffix}.gz: {hint}')
