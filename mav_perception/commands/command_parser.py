"""A parser that helps: what is unknown is named beside what it was meant to be."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any

from mav_perception.errors import did_you_mean


class CommandParser(argparse.ArgumentParser):
    """Parser of a command or subcommand: unknown options are reported with its own usage."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse, and refuse what this parser does not know: its parent knows it no better."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            options = [text for text in self._option_string_actions if text.startswith('--')]
            first = next((text for text in unknown if text.startswith('-')), unknown[0])
            hint = did_you_mean(first.partition('=')[0], options)
            self.error(f'unrecognized arguments: {" ".join(unknown)}{hint}')
        return known, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is no choice, with the one that it is like."""
        if action.choices is not None and value not in action.choices:
            choices = list(map(str, action.choices))
            what = action.metavar or action.dest
            raise argparse.ArgumentError(
                None if isinstance(action, argparse._SubParsersAction) else action,
                f'unknown {what} {value!r}{did_you_mean(str(value), choices)} There are: '
                f'{", ".join(choices)}.',
            )


def at_least(least: int) -> Callable[[str], int]:
    """Return a type of options: whole numbers from `least` on."""

    def whole(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f'{text} must be {least} or more')
        return int(text)

    whole.__name__ = 'whole number'  # as argparse calls it where it is none
    return whole


def share(text: str) -> float:
    """Read an option that is a share, from 0 to 1."""
    if not 0.0 <= float(text) <= 1.0:
        raise argparse.ArgumentTypeError(f'{text} must be 0 to 1')
    return float(text)


def complete_in_the_shell(build: Callable[[], argparse.ArgumentParser]) -> None:
    """Answer a shell that completes a command line, where argcomplete is installed.

    Args:
        build: the parser with all of its commands.
    """
    if '_ARGCOMPLETE' not in os.environ:
        return
    try:
        import argcomplete
    except ModuleNotFoundError:
        return
    argcomplete.autocomplete(build())
