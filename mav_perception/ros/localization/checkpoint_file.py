"""The joint filter on disk, so that a node that was killed goes on where it was."""

from __future__ import annotations

from pathlib import Path

from mav_perception.errors import DataError, MavPerceptionError, OutputError
from mav_perception.localization.checkpoint import (
    Checkpoint,
    load_checkpoint,
    resume,
    save_checkpoint,
    take_checkpoint,
)
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.team import Team
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.types import seconds


class CheckpointFile:
    """Saves the joint state now and then, and brings it back if it is fresh."""

    def __init__(self, path: str, longest: float, diagnostics: NodeDiagnostics) -> None:
        """Read what a run before has left.

        Args:
            path: of the file; empty saves nothing.
            longest: seconds between the saved state and the odometry that it is resumed with.
            diagnostics: told of what is wrong with the file.
        """
        self._path = Path(path).expanduser() if path else None
        self._longest, self._diagnostics = longest, diagnostics
        self._left: Checkpoint | None = None
        self._saved_ns = 0
        if self._path is not None and self._path.is_file():
            try:
                self._left = load_checkpoint(self._path)
            except DataError as error:
                diagnostics.problem('checkpoint', str(error))

    def resumed(
        self, team: Team, parameters: FilterParameters, stamp_ns: int
    ) -> TeamLocalizer | None:
        """Return a localizer that goes on from the file, or None where there is none to go on.

        Only the first odometry of a run may ask: what was saved before is of no use later.
        """
        left, self._left = self._left, None
        if left is None:
            return None
        gap = seconds(stamp_ns - left.stamp_ns)
        if not 0.0 <= gap <= self._longest:
            self._diagnostics.set('checkpoint', f'not used, it is {gap:.1f} s old')
            return None
        try:
            localizer = resume(team, parameters, left)
        except MavPerceptionError as error:
            self._diagnostics.problem('checkpoint', f'checkpoint_file is not used: {error}')
            return None
        self._diagnostics.set('checkpoint', f'resumed after {gap:.1f} s')
        return localizer

    def save(self, localizer: TeamLocalizer) -> None:
        """Write the state as it is now."""
        if self._path is None:
            return
        checkpoint = take_checkpoint(localizer)
        if checkpoint is not None and checkpoint.stamp_ns != self._saved_ns:
            self._saved_ns = checkpoint.stamp_ns
            try:
                save_checkpoint(checkpoint, self._path)
            except OutputError as error:
                self._diagnostics.problem('checkpoint', f'checkpoint_file is not kept: {error}')
