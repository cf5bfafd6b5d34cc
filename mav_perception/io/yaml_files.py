"""YAML files of a user: whatever is wrong with one is said in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mav_perception.errors import ConfigurationError


def read_yaml(path: Path, what: str) -> Any:
    """Return what a YAML file holds.

    Args:
        path: the file.
        what: it is, for messages, such as 'team file'.

    Raises:
        ConfigurationError: it cannot be read, is not UTF-8, or no YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding='utf-8-sig'))
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f'Cannot read {what} {path}: byte {error.start} is not UTF-8: save it so.'
        ) from error
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f'Cannot read {what} {path}: {error}') from error
