"""What happened in a live flight: estimates, odometry and truth of every drone, and its score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.metrics.run_score import RunScore, run_score
from mav_perception.evaluation.metrics.team_errors import sample_stamps
from mav_perception.evaluation.odometry_paths import (
    carry_forward,
    from_origin,
    restarts_of,
    without_leaps,
)
from mav_perception.evaluation.report.run_record import DroneRecord, RunRecord
from mav_perception.geometry import interpolate, yaw_rotation
from mav_perception.recordings.recording import PosePath
from mav_perception.types import FloatArray, IntArray


@dataclass(frozen=True)
class Latest:
    """A drone's newest figures, for the live table; NaN where nothing has come yet."""

    error: float
    vio_error: float
    sigma: float


class DroneLog:
    """Growing lists of one drone, by stamp.

    x, y, z, yaw of truth, odometry and estimate, true roll and pitch, and the 4x4 covariances of
    the estimate.
    """

    def __init__(self, start: FloatArray) -> None:
        """Begin with the start pose (4,) that the filter was told."""
        self.start = start
        self.truth: list[tuple[int, FloatArray]] = []
        self.roll_pitch: list[tuple[int, FloatArray]] = []
        self.odometry: list[tuple[int, FloatArray]] = []
        self.estimate: list[tuple[int, FloatArray]] = []
        self.covariance: list[FloatArray] = []
        self._origin_by_estimate: FloatArray | None = None

    def path(self, rows: list[tuple[int, FloatArray]]) -> PosePath:
        """Return rows as a path with unwrapped yaw, sorted by stamp."""
        ordered = sorted(rows, key=lambda row: row[0])
        poses = np.array([pose for _, pose in ordered]).reshape(-1, 4)
        poses[:, 3] = np.unwrap(poses[:, 3])
        return PosePath(np.array([stamp for stamp, _ in ordered], np.int64), poses)

    def estimates(self, begin: int = 0, end: int | None = None) -> tuple[PosePath, FloatArray]:
        """Return estimates as they came, from one index to another, sorted, and covariances."""
        rows, covariance = self.estimate[begin:end], np.array(self.covariance[begin:end])
        order = np.argsort([stamp for stamp, _ in rows], kind='stable')
        return self.path(rows), covariance[order]

    def true_roll_pitch(self, stamps: IntArray) -> FloatArray:
        """Return (M, 2) true roll and pitch at stamps, linearly interpolated."""
        ordered = sorted(self.roll_pitch, key=lambda row: row[0])
        known = np.array([stamp for stamp, _ in ordered], np.int64)
        angles = np.array([angles for _, angles in ordered])
        return interpolate(stamps, known, angles)

    def vio_alone(self, newest: int = 0) -> PosePath:
        """Return where VIO alone has the drone: its odometry from the start, or the newest of it.

        The start is where the origin of the odometry lies, whenever its first sample was heard. A
        start that nobody was told (NaN) is where the truth has it, or else the first estimate.
        """
        return from_origin(self._origin(), self.path(self.odometry[-newest:]))

    def _origin(self) -> FloatArray:
        """Return the pose (4,) in map of the origin of the odometry, NaN while nobody knows it."""
        if not np.isfinite(self.start).all() and self.odometry:
            if (found := self._origin_by(self.truth)) is not None:
                self.start = found
                return found
            if self._origin_by_estimate is None:  # a table and a viewer ask every second
                self._origin_by_estimate = self._origin_by(self.estimate)
            if self._origin_by_estimate is not None:
                return self._origin_by_estimate
        return self.start

    def _origin_by(self, known: list[tuple[int, FloatArray]]) -> FloatArray | None:
        """Return it by the first instant that has odometry and a known pose, if there is one."""
        if not known:
            return None
        poses, odometry = self.path(known), self.path(self.odometry)
        first = max(poses.stamps[0], odometry.stamps[0])
        if first > min(poses.stamps[-1], odometry.stamps[-1]):
            return None
        here, there = (path.at(np.array([first]))[0] for path in (odometry, poses))
        turn = there[3] - here[3]
        return np.append(there[:3] - yaw_rotation(turn) @ here[:3], turn)

    def latest(self) -> Latest:
        """Return the newest errors and sigma, each as soon as it is known."""
        error = vio_error = sigma = np.nan
        if self.estimate:
            sigma = float(np.sqrt(np.trace(self.covariance[-1][:3, :3])))
        if self.estimate and self.truth:
            stamp = np.array([self.estimate[-1][0]])
            true = self.path(self.truth[-100:]).at(stamp)[0, :3]
            error = float(np.linalg.norm(self.estimate[-1][1][:3] - true))
            if self.odometry:
                vio = self.vio_alone(1000).at(stamp)[0, :3]
                vio_error = float(np.linalg.norm(vio - true))
        return Latest(error, vio_error, sigma)


def record_flight(
    names: tuple[str, ...],
    logs: list[DroneLog],
    title: str,
    figures: dict[str, Any],
    latency_ms: FloatArray,
    associations: AssociationLog,
) -> RunRecord:
    """Return what is kept of a flight; drones without an estimate or odometry are left out."""
    drones = []
    for name, log in zip(names, logs, strict=True):
        if not (log.estimate and log.odometry):
            continue
        estimate, covariance = log.estimates()
        odometry = log.path(log.odometry)
        drones.append(
            DroneRecord(
                name=name,
                truth=log.path(log.truth),
                estimate=estimate,
                vio=log.vio_alone(),
                covariance=covariance,
                restarts=odometry.stamps[restarts_of(odometry)],
            )
        )
    known = len(drones) == len(logs) and all(log.truth for log in logs)
    return RunRecord(
        title,
        tuple(drones),
        figures,
        latency_ms=latency_ms,
        nis=associations.nis_table(),
        confusion=associations.confusion if known else np.zeros((0, 0)),
    )


def score_flight(logs: list[DroneLog]) -> RunScore | None:
    """Score a flight from its logs, or return None if a drone has no estimate or truth.

    A drone counts as long as it has odometry and somebody knows the truth.
    """
    if not all(log.truth and log.odometry and log.estimate for log in logs):
        return None
    begin = min(log.path(log.estimate).stamps[0] for log in logs)
    end = max(log.path(log.odometry).stamps[-1] for log in logs)
    stamps = sample_stamps(int(begin), int(end))
    if not len(stamps):
        return None
    estimate, vio, truth = [], [], []
    for log in logs:
        odometry, path, true = log.path(log.odometry), log.path(log.estimate), log.path(log.truth)
        carried = carry_forward(path, without_leaps(odometry), stamps)
        carried[(stamps < path.stamps[0]) | (stamps > odometry.stamps[-1])] = np.nan
        estimate.append(carried)
        vio.append(log.vio_alone().at(stamps))
        truth.append(true.known_at(stamps))
    e, v, t = (np.stack(poses, axis=1) for poses in (estimate, vio, truth))
    return run_score(e, v, t) if np.isfinite(e + t).any() else None
