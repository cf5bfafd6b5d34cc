"""A table that is written over itself in a terminal, and line by line into a file."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence

PLAIN_WIDTH = 160
"""Columns where it goes into a file or a pipe."""

YELLOW = '\x1b[33m{}\x1b[0m'


class LiveScreen:
    """Knows how many lines it wrote, and writes the next table over them."""

    def __init__(self) -> None:
        """Begin with nothing written."""
        self._widths: list[int] = []

    def say(self, text: str) -> None:
        """Print; whoever read it may be gone, as launch may be: what is written counts more."""
        try:
            print(text, flush=True)
        except OSError:
            # Else the text that waits would fail again, at the end of the process.
            with open(os.devnull, 'w') as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())

    def shown(self, lines: Sequence[str], notices: Sequence[str]) -> str:
        """Return what to print for a table and the notices below it, which are wrapped.

        The terminal may have another width than when the last table was written: a line that is
        wider now takes several rows.
        """
        live = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if live else PLAIN_WIDTH
        paint = YELLOW if live and not os.environ.get('NO_COLOR') else '{}'
        table = [line[:width] for line in lines]
        wrapped = [row for text in notices for row in textwrap.wrap(text, width) or ['']]
        rows = sum(max(1, -(-length // width)) for length in self._widths)
        over = f'\x1b[{rows}A\x1b[J' if live and rows else ''
        self._widths = [len(row) for row in (*table, *wrapped)]
        return over + '\n'.join([*table, *(paint.format(row) for row in wrapped)])
