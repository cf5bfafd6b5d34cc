"""Where a run comes from: version, commit, machine, time and command."""

from __future__ import annotations

import platform
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from mav_perception import __version__


def provenance() -> dict[str, str]:
    """Return what the header of a report says of any run."""
    return {
        'version': __version__,
        'commit': commit_of(Path(__file__).resolve().parents[3]),
        'host': f'{platform.node()}, {platform.machine()}, Python {platform.python_version()}',
        'date': datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        'command': shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def commit_of(folder: Path) -> str:
    """Return the commit of the checkout that the package runs from, or that it is none."""
    try:
        root = _git(folder, 'rev-parse', '--show-toplevel')
        if '<name>mav_perception</name>' in (Path(root) / 'package.xml').read_text():
            return _git(folder, 'describe', '--always', '--dirty')
    except (OSError, subprocess.SubprocessError):
        pass
    return 'not a checkout'


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ['git', '-C', str(folder), *arguments],
        capture_output=True, text=True, check=True, timeout=5.0,
    )  # fmt: skip
    return done.stdout.strip()
