"""YAML files of a user: whatever is wrong with one is said in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from mav_perception.errors import ConfigurationError


class UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice: of two values PyYAML drops one, and ROS takes another."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node, whose keys differ."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise ConstructorError(
                    problem=f'the key {key.value!r} stands twice here: join what is below',
                    problem_mark=key.start_mark,
                )
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


def read_yaml(path: Path, what: str) -> Any:
    """Return what a YAML file holds.

    Args:
        path: the file.
        what: it is, for messages, such as 'team file'.

    Raises:
        ConfigurationError: it cannot be read, is not UTF-8, no YAML, or has a key twice.
    """
    try:
        return yaml.load(path.read_text(encoding='utf-8-sig'), UniqueKeyLoader)
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f'Cannot read {what} {path}: byte {error.start} is not UTF-8: save it so.'
        ) from error
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f'Cannot read {what} {path}: {error}') from error
