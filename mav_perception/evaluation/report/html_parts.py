"""Parts of a page: tables, pictures, and the page around them."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from matplotlib import pyplot

from mav_perception import __version__
from mav_perception.io.files import write_text

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em;
       color: #222; background: #fff; overflow-wrap: break-word; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; } h3 { font-size: 1em; }
table { border-collapse: collapse; } th, td { padding: .25em .9em .25em 0; text-align: right;
       border-bottom: 1px solid #ddd; } th:first-child, td:first-child { text-align: left; }
table.words td { text-align: left; vertical-align: top; }
div.wide { overflow-x: auto; } img { max-width: 100%; } p.note { color: #666; }
div.strip { display: flex; flex-wrap: wrap; gap: .8em; } div.strip figure { margin: 0;
       flex: 1 1 18em; max-width: 30em; } figcaption { color: #666; font-size: .85em; }
"""


def html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table with escaped cells."""
    lines = [''.join(f'<th>{html.escape(cell)}</th>' for cell in head)]
    lines += [''.join(f'<td>{html.escape(cell)}</td>' for cell in row) for row in rows]
    return _table(lines)


def words_table(words: dict[str, str]) -> str:
    """Return a table of two columns without a head."""
    return _table(
        [f'<td>{html.escape(k)}</td><td>{html.escape(v)}</td>' for k, v in words.items()], 'words'
    )


def _table(lines: list[str], kind: str = '') -> str:
    table = ''.join(f'<tr>{line}</tr>' for line in lines)
    return f'<div class="wide"><table class="{kind}">{table}</table></div>'


def picture(figure: Any, alt: str = '') -> str:
    """Return a matplotlib figure as an image inside the page, and close it."""
    stream = io.BytesIO()
    figure.savefig(stream, format='png', dpi=110)
    pyplot.close(figure)
    return inlined(stream.getvalue(), 'png', alt)


def inlined(data: bytes, kind: str, alt: str = '') -> str:
    """Return an image file inside the page."""
    code = base64.b64encode(data).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/{kind};base64,{code}">'


def write_html(title: str, parts: list[str], path: Path, head: str = '') -> None:
    """Write a page.

    Args:
        title: of the page.
        parts: of its body.
        path: of the file.
        head: what else goes into its head, such as scripts.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(
        path,
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f'<title>{html.escape(title)}</title><style>{STYLE}</style>{head}</head><body>\n'
        + '\n'.join(parts)
        + f'\n<p class="note">mav_perception {__version__}</p>\n</body></html>\n',
    )
