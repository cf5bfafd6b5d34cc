"""Frame names of a team, as its messages tell them; what is missing or double is said."""

from __future__ import annotations

from mav_perception.errors import ConfigurationError
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics


class FrameNames:
    """One frame of every drone or camera: of its messages, or as a parameter names it."""

    def __init__(
        self, what: str, diagnostics: NodeDiagnostics, given: str, default: str, hint: str
    ) -> None:
        """Know no frame yet.

        Raises ConfigurationError for a name in which anything but `{name}` stands in braces.

        Args:
            what: whose frame, for messages, such as 'odometry'.
            diagnostics: takes what is wrong.
            given: name that wins over the messages, `{name}` in it stands for the drone; or empty.
            default: the same, for messages that have none.
            hint: how two drones get frames of their own, for messages.
        """
        try:
            given.format(name='drone')
        except (KeyError, IndexError, ValueError) as error:
            raise ConfigurationError(
                f'{what}_frame {given!r} is no name: only {{name}} stands for something ({error}).'
            ) from error
        self._what, self._diagnostics, self._hint = what, diagnostics, hint
        self._given, self._default = given, default
        self._names: dict[str, str] = {}

    def heard(self, key: str, frame: str) -> str | None:
        """Return the frame of a drone or camera after a message, None if another has it too.

        Args:
            key: name of the drone or camera.
            frame: what the message says, maybe nothing.
        """
        frame = frame.strip().lstrip('/')
        if self._given:
            frame = self._given.format(name=key)
        elif not frame:
            frame = self._default.format(name=key)
            self._diagnostics.problem(
                f'{self._what} frame of {key}',
                f'The {self._what} of {key} names no frame: {frame!r} is taken. Let its publisher '
                'set it.',
            )
        before = self._names.get(key)
        if before not in (None, frame):
            self._diagnostics.problem(
                f'{self._what} frame of {key}',
                f'The {self._what} frame of {key} was {before!r} and is {frame!r} now: two '
                'publishers on one topic?',
            )
        self._names[key] = frame
        others = [name for name, its in self._names.items() if its == frame and name != key]
        if others:
            self._diagnostics.problem(
                f'{self._what} frame {frame}',
                f'{others[0]} and {key} both call their {self._what} frame {frame!r}, tf cannot '
                f'tell them apart: {self._hint}.',
            )
            return None
        return frame

    def of(self, key: str) -> str | None:
        """Return the frame of a drone or camera, None if it is not known or not its own."""
        frame = self._names.get(key)
        alone = sum(name == frame for name in self._names.values()) == 1
        return frame if alone else None
