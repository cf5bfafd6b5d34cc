"""Plain values of a user's file -> a dataclass, whose types they must have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

from mav_perception.errors import ConfigurationError, MavPerceptionError

NUMBER = re.compile(r'[-+]?[0-9]+(\.[0-9]*)?')
EXPONENT = re.compile(NUMBER.pattern + '[eE][-+]?[0-9]+')
"""Numbers without a point or without a sign in the exponent, which YAML 1.1 has not."""

Kind = TypeVar('Kind')


def settings_of(kind: type[Kind], values: dict[str, Any], path: Path) -> Kind:
    """Return a dataclass with some of its values told.

    Args:
        kind: the dataclass; a dataclass among its values may be told as a mapping.
        values: as YAML gives them: lists for tuples, whole numbers for floats.
        path: of the file, for messages.

    Raises:
        ConfigurationError: a key that it has not, a value of another type, or one that it refuses.
    """
    import dacite  # comes with the `sim` and `train` extras

    try:
        config = dacite.Config(strict=True, type_hooks={float: _number, int: _no_truth})
        return dacite.from_dict(kind, _tuples(values), config)
    except dacite.WrongTypeError as error:
        quoted = isinstance(error.value, str) and NUMBER.fullmatch(error.value)
        hint = '; numbers stand without quotes' if quoted else ''
        raise ConfigurationError(f'{path}: {error}{hint}.') from error
    except (dacite.DaciteError, MavPerceptionError, TypeError, ValueError) as error:
        raise ConfigurationError(f'{path}: {error}') from error


def _number(value: Any) -> Any:
    """Return a YAML number as float; PyYAML takes 1.0e9 for a word. Dacite refuses other words."""
    value = _no_truth(value)
    number = isinstance(value, int) or (isinstance(value, str) and EXPONENT.fullmatch(value))
    return float(value) if number else value


def _no_truth(value: Any) -> Any:
    """Return a truth value as a word, since dacite would take it for a number."""
    return str(value) if isinstance(value, bool) else value


def _tuples(value: Any) -> Any:
    """Return plain values with tuples for lists, at every depth."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
