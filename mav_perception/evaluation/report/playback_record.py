"""What is kept of a filter's run over a recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.metrics.team_errors import sample_stamps
from mav_perception.evaluation.odometry_paths import carry_forward, restarts_of, vio_alone
from mav_perception.evaluation.playback import Estimate
from mav_perception.evaluation.report.provenance import provenance
from mav_perception.evaluation.report.run_record import DroneRecord, RunRecord
from mav_perception.localization.correlation import independent_share
from mav_perception.localization.parameter_file import parameter_words
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import PosePath, Recording
from mav_perception.types import seconds


def record_playback(
    title: str,
    recording: Recording,
    estimate: Estimate,
    associations: AssociationLog,
    parameters: FilterParameters,
    axes: tuple[int, ...] = (0, 1, 2, 3),
) -> RunRecord:
    """Return what is kept of a filter's run; drones that were never localized are left out.

    Args:
        title: what was run, in a line.
        recording: the run.
        estimate: what the filter said.
        associations: what it made of the sightings.
        parameters: of the filter.
        axes: which of x, y, z, yaw count for the NEES.
    """
    drones = tuple(
        _drone_record(recording, estimate, index)
        for index in range(len(recording.team.names))
        if estimate.localized[:, index].any()
    )
    everybody = len(drones) == associations.drones and recording.has_truth
    cameras: dict[tuple[str, str], list[int]] = {}
    for frame in recording.frames:
        seen = frame.sightings
        cameras.setdefault((seen.observer, seen.camera), []).append(seen.stamp_ns)
    return RunRecord(
        title=title,
        drones=drones,
        latency_ms=estimate.update_ms,
        latency_what='computing time of a frame',
        nis=associations.nis_table(),
        confusion=associations.confusion if everybody else np.zeros((0, 0)),
        axes=axes,
        about={'parameters': parameter_words(parameters)} | provenance(),
        independent=independent_frames(list(cameras.values()), parameters.error_correlation),
    )


def independent_frames(cameras: Sequence[Sequence[int]], correlation_time: float) -> float:
    """Return the share of frames that count as independent, see `independent_share`.

    Args:
        cameras: stamps of the frames of each camera.
        correlation_time: of their errors, seconds.
    """
    pauses = [np.diff(np.sort(stamps)) for stamps in cameras if len(stamps) > 1]
    if not pauses:
        return 1.0
    return independent_share(seconds(int(np.median(np.concatenate(pauses)))), correlation_time)


def _drone_record(recording: Recording, estimate: Estimate, index: int) -> DroneRecord:
    states, truth = estimate.published(index), recording.truth[index]
    odometry, published = recording.odometry_path(index), estimate.stamps[states]
    found = PosePath(published, estimate.means[states, index])
    stamps = np.union1d(published, sample_stamps(recording.begin_ns, recording.end_ns))
    true = truth.known_at(stamps)
    known = np.isfinite(true).all(axis=1)
    moving = stamps[(stamps >= odometry.stamps[0]) & (stamps <= odometry.stamps[-1])]
    if len(truth.stamps) or np.isfinite(recording.team.start_sigma[index]).all():
        vio = vio_alone(recording, index, moving)
    else:  # nobody knows where it began: it goes on from where it was found
        vio = carry_forward(PosePath(published[:1], found.poses[:1]), odometry, moving)
    return DroneRecord(
        name=recording.team.names[index],
        truth=PosePath(stamps[known], true[known]),
        estimate=found,
        vio=PosePath(moving, vio),
        restarts=odometry.stamps[restarts_of(odometry)],
        covariance=np.array([estimate.states[state].block(index) for state in states]),
    )
