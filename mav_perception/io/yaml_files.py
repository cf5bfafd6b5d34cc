"""YAML files of a user: whatever is wrong with one is said in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from mav_perception.errors import ConfigurationError

MERGE = 'tag:yaml.org,2002:merge'


def read_yaml(path: Path, what: str) -> Any:
    """Return what a YAML file holds.

    Args:
        path: the file.
        what: it is, for messages, such as 'team file'.

    Raises:
        ConfigurationError: it cannot be read, is not UTF-8, no YAML, or has a key twice.
    """
    try:
        loader = yaml.SafeLoader(path.read_text(encoding='utf-8-sig'))
        tree = loader.get_single_node()
        _refuse_keys_that_stand_twice(tree, set())
        return loader.construct_document(tree) if tree else None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f'Cannot read {what} {path}: byte {error.start} is not UTF-8: save it so.'
        ) from error
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f'Cannot read {what} {path}: {error}') from error


def _refuse_keys_that_stand_twice(node: Any, seen: set[int]) -> None:
    """Raise ConstructorError for them: of two values PyYAML drops one, and ROS takes another."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return
    seen.add(id(node))
    keys = set()
    for item in node.value:
        key, *below = item if isinstance(item, tuple) else (item,)
        if below and isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
            if (key.tag, key.value) in keys:
                raise ConstructorError(
                    problem=f'the key {key.value!r} stands twice here: merge the two blocks',
                    problem_mark=key.start_mark,
                )
            keys.add((key.tag, key.value))
        for part in (key, *below):
            _refuse_keys_that_stand_twice(part, seen)
