"""Sees what a filter does to every frame of a recording: NIS, and who was taken for whom."""

from __future__ import annotations

from typing import Any

import numpy as np

from mav_perception.evaluation.playback import Estimate, carry_forward
from mav_perception.evaluation.report.run_record import DroneRecord, RunRecord
from mav_perception.localization.update.update import UpdateReport
from mav_perception.recordings.recording import LabelledFrame, PosePath, Recording
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
            self.note(frame.labels, report.taken()[0], report.nis, report.nis_size)

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


def record_of(
    title: str,
    recording: Recording,
    estimate: Estimate,
    witness: AssociationLog,
    figures: dict[str, Any],
    rivals: dict[str, dict[str, Any]],
    axes: tuple[int, ...] = (0, 1, 2, 3),
) -> RunRecord:
    """Return what is kept of a filter's run over a recording; drones never placed are left out."""
    covariance = np.array([state.covariance for state in estimate.states])
    drones = []
    for index, name in enumerate(recording.team.names):
        placed = estimate.placed[:, index]
        if not placed.any():
            continue
        stamps = estimate.stamps[placed]
        stamps, kept = np.unique(stamps, return_index=True)
        own = slice(4 * index, 4 * index + 4)
        odometry = recording.odometry_path(index)
        begin = np.array([recording.begin_ns])
        start = PosePath(begin, recording.team.start[index][None])
        if not np.isfinite(recording.team.start_sigma[index]).all():
            start = PosePath(begin, recording.truth[index].at(begin))  # nobody knows it: the truth
        drones.append(
            DroneRecord(
                name,
                PosePath(stamps, recording.truth[index].at(stamps)),
                PosePath(stamps, estimate.means[placed][kept, index]),
                PosePath(stamps, carry_forward(start, odometry, stamps)),
                covariance[placed][kept][:, own, own],
            )
        )
    return RunRecord(
        title,
        tuple(drones),
        figures,
        rivals,
        estimate.update_ms,
        'computing time of a frame',
        witness.nis_table(),
        witness.confusion if len(drones) == witness.drones else np.zeros((0, 0)),
        axes,
    )
