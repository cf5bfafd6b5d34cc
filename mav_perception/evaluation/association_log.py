"""What a filter made of every frame: NIS, and which drone each sighting was assigned to."""

from __future__ import annotations

import numpy as np

from mav_perception.localization.update.report import UpdateReport
from mav_perception.recordings.recording import LabelledFrame
from mav_perception.types import FloatArray, IntArray


class AssociationLog:
    """Collects what `play` tells of each frame."""

    def __init__(self, drones: int) -> None:
        """Begin with nothing seen of a team of so many."""
        self.drones = drones
        self.confusion: FloatArray = np.zeros((drones + 1, drones + 1))
        self.nis: list[tuple[float, int]] = []

    def saw(self, frame: LabelledFrame, report: UpdateReport | None) -> None:
        """Note a frame and the report of its update; None where the filter did not take it."""
        if report is not None:
            self.note(frame.labels, report.best_associations()[0], report.nis, report.nis_size)

    def note(self, labels: IntArray, taken: IntArray, nis: float, nis_size: int) -> None:
        """Note a frame of m sightings.

        Args:
            labels: (m,) drones that they show, -1 for false ones.
            taken: (m,) for whom they were taken, -1 for false ones.
            nis: normalised innovation squared of the frame.
            nis_size: its degrees of freedom.
        """
        if nis_size:
            self.nis.append((nis, nis_size))
        nobody = self.drones  # a static object of the map is nobody of the team
        rows = np.where(labels < 0, nobody, labels)
        columns = np.where((taken < 0) | (taken >= self.drones), nobody, taken)
        np.add.at(self.confusion, (rows, columns), 1.0)

    def nis_table(self) -> FloatArray:
        """Return (F, 2) NIS of the frames and their degrees of freedom."""
        return np.array(self.nis, float).reshape(-1, 2)
