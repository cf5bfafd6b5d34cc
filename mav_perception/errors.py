"""Exceptions of the package: each message says what is wrong and what to change."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class MavPerceptionError(Exception):
    """Base of every error that a user can cause and mend.

    A command or a node that it ends has its `exit_code`: 2, unless a subclass has another.
    """

    exit_code: ClassVar[int] = 2


class ConfigurationError(MavPerceptionError):
    """A parameter, a YAML key or a command-line option is wrong."""


class ModelError(MavPerceptionError):
    """A segmentation model or its card is missing, broken or does not fit the input."""


class InputError(MavPerceptionError):
    """A message, an image or a measurement has a wrong size, a NaN or an impossible value."""


class DataError(MavPerceptionError):
    """A file or a folder of data is missing or not in the expected format."""


class OutputError(MavPerceptionError):
    """A result cannot be written: the disk is full, or the folder read-only or gone."""

    exit_code = 1


class MissingDependencyError(MavPerceptionError):
    """An optional dependency is needed for what was asked; the message names the extra."""


class LateError(InputError):
    """A message is older than what can still be put in its place: refused, nothing changed."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ': did you mean X?' for the known name that is most like one, or '.' for none."""
    near = get_close_matches(name, known, n=1)
    return f': did you mean {near[0]}?' if near else '.'
