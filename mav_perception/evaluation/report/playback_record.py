"""What is kept of a filter's run over a recording."""

from __future__ import annotations

from typing import Any

import numpy as np

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.playback import Estimate, carry_forward
from mav_perception.evaluation.report.run_record import DroneRecord, RunRecord
from mav_perception.recordings.recording import PosePath, Recording


def record_playback(
    title: str,
    recording: Recording,
    estimate: Estimate,
    associations: AssociationLog,
    figures: dict[str, Any],
    baselines: dict[str, dict[str, Any]],
    axes: tuple[int, ...] = (0, 1, 2, 3),
) -> RunRecord:
    """Return what is kept of a filter's run; drones that were never localized are left out.

    Args:
        title: what was run, in a line.
        recording: the run.
        estimate: what the filter said.
        associations: what it made of the sightings.
        figures: name -> number, of the filter.
        baselines: name -> figures, of other filters on the same recording.
        axes: which of x, y, z, yaw count for the NEES.
    """
    drones = tuple(
        _drone_record(recording, estimate, index)
        for index in range(len(recording.team.names))
        if estimate.localized[:, index].any()
    )
    everybody = len(drones) == associations.drones
    return RunRecord(
        title=title,
        drones=drones,
        figures=figures,
        baselines=baselines,
        latency_ms=estimate.update_ms,
        latency_what='computing time of a frame',
        nis=associations.nis_table(),
        confusion=associations.confusion if everybody else np.zeros((0, 0)),
        axes=axes,
    )


def _drone_record(recording: Recording, estimate: Estimate, index: int) -> DroneRecord:
    localized = estimate.localized[:, index]
    stamps, kept = np.unique(estimate.stamps[localized], return_index=True)
    begin = np.array([recording.begin_ns])
    start = PosePath(begin, recording.team.start[index][None])
    if not np.isfinite(recording.team.start_sigma[index]).all():
        start = PosePath(begin, recording.truth[index].at(begin))  # nobody knows it: the truth
    states = np.flatnonzero(localized)[kept]
    return DroneRecord(
        name=recording.team.names[index],
        truth=PosePath(stamps, recording.truth[index].at(stamps)),
        estimate=PosePath(stamps, estimate.means[states, index]),
        vio=PosePath(stamps, carry_forward(start, recording.odometry_path(index), stamps)),
        covariance=np.array([estimate.states[state].block(index) for state in states]),
    )
