"""Where the package's own files are: in the source tree, a virtual environment or a ROS prefix."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mav_perception.errors import ConfigurationError


def prefixes() -> list[Path]:
    """Return the install prefixes to search: the ROS ones, then that of this Python."""
    ament = [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    return [*ament, Path(sys.prefix)]


def share_folders(name: str) -> list[Path]:
    """Return the folders 'models', 'config' or 'launch', the source tree's first."""
    source = Path(__file__).resolve().parents[1] / name
    return [source, *(p / 'share' / 'mav_perception' / name for p in prefixes())]


def find_share(name: str, file: str) -> Path:
    """Return a file of a share folder, or raise ConfigurationError that says where it looked."""
    for folder in share_folders(name):
        if (folder / file).is_file():
            return folder / file
    searched = ', '.join(str(f) for f in share_folders(name))
    raise ConfigurationError(f'{name}/{file} is not installed (searched: {searched}).')


def find_executable(name: str) -> Path:
    """Return a node's executable, the one that `ros2 run` and launch files start too."""
    candidates = [p / 'lib' / 'mav_perception' / name for p in prefixes()]
    candidates += [p / 'bin' / name for p in prefixes()]
    for path in candidates:
        if os.access(path, os.X_OK):
            return path
    raise ConfigurationError(
        f'The executable {name} is not installed: run `make install`, or `colcon build` and '
        'source its setup file.'
    )
