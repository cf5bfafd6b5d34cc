"""A run in the Rerun viewer, live or as a recording: `rerun FILE.rrd`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from mav_perception.errors import MissingDependencyError
from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.evaluation.report.run_record import RunRecord
from mav_perception.recordings.recording import PosePath
from mav_perception.types import FloatArray

COLOURS = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189))
RADII = {'truth': 0.03, 'vio': 0.005}
TRAIL = 1000
"""Points of a live track: the whole of a long flight would be sent again every second."""

FLUSH_LIMIT = 10.0
"""Seconds to wait for a viewer at the end."""


def require_rerun(target: str | None) -> None:
    """Raise MissingDependencyError if Rerun is wanted and not installed."""
    if target and importlib.util.find_spec('rerun') is None:
        raise MissingDependencyError('--rerun needs Rerun: pip install "rerun-sdk>=0.26".')


class RerunStream:
    """Tracks, covariance ellipsoids, errors and sigma, into a file or to a viewer."""

    def __init__(self, target: str) -> None:
        """Open a file, or connect to the address of a viewer, `rerun+http://HOST:PORT/proxy`."""
        require_rerun(target)
        import rerun

        self._rerun, self._stream = rerun, rerun.RecordingStream('mav_perception')
        if '://' in target:
            self._stream.connect_grpc(target)
        else:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            self._stream.save(target)
        self._stream.log('map', rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)

    def track(self, index: int, name: str, kind: str, points: FloatArray) -> None:
        """Show a path of a drone, (K, 3) in map, in place of an earlier one."""
        if not len(points):
            return
        colours = [COLOURS[index % len(COLOURS)]]
        strip = self._rerun.LineStrips3D([points], colors=colours, radii=RADII[kind])
        self._stream.log(f'map/{name}/{kind}', strip, static=True)

    def estimates(
        self, index: int, name: str, path: PosePath, covariance: FloatArray, truth: PosePath
    ) -> None:
        """Show K estimates of a drone, (K, 4, 4) covariances, and errors if the truth is known."""
        errors = np.linalg.norm((path.poses - truth.known_at(path.stamps))[:, :3], axis=1)
        colours = [COLOURS[index % len(COLOURS)]]
        for stamp, pose, block, error in zip(
            path.stamps.tolist(), path.poses, covariance[:, :3, :3], errors, strict=True
        ):
            self._stream.set_time('time', timestamp=stamp * 1e-9)
            half = 3.0 * np.sqrt(np.maximum(np.diag(block), 1e-8))
            ellipsoid = self._rerun.Ellipsoids3D(
                centers=[pose[:3]], half_sizes=[half], colors=colours
            )
            sigma = float(np.sqrt(np.trace(block)))
            self._stream.log(f'map/{name}/estimate', ellipsoid)
            if np.isfinite(error):
                self._stream.log(f'error/{name}', self._rerun.Scalars(float(error)))
            self._stream.log(f'sigma/{name}', self._rerun.Scalars(sigma))

    def finish(self) -> None:
        """Send what has not been sent yet, but do not wait for ever for a viewer that is gone."""
        self._stream.flush(timeout_sec=FLUSH_LIMIT)


def write_rerun(record: RunRecord, target: str) -> None:
    """Show a run that is over."""
    stream = RerunStream(target)
    for index, drone in enumerate(record.drones):
        stream.track(index, drone.name, 'truth', drone.truth.poses[:, :3])
        stream.track(index, drone.name, 'vio', drone.vio.poses[:, :3])
        stream.estimates(index, drone.name, drone.estimate, drone.covariance, drone.truth)
    stream.finish()


class LiveRerun:
    """Shows a flight while it lasts."""

    def __init__(self, target: str) -> None:
        """Open a file or connect to a viewer."""
        self._stream = RerunStream(target)
        self._shown: dict[str, int] = {}

    def update(self, logs: list[tuple[str, DroneLog]], newest: int = TRAIL) -> None:
        """Show what is new of every drone, and the newest points of its tracks."""
        for index, (name, log) in enumerate(logs):
            truth = log.path(log.truth[-max(newest, TRAIL) :])
            self._stream.track(index, name, 'truth', truth.poses[-newest:, :3])
            self._stream.track(index, name, 'vio', log.vio_alone(newest).poses[:, :3])
            begin, end = self._shown.get(name, 0), len(log.estimate)
            self._shown[name] = end
            if end > begin:
                path, covariance = log.estimates(begin, end)
                self._stream.estimates(index, name, path, covariance, truth)

    def finish(self, logs: list[tuple[str, DroneLog]]) -> None:
        """Show the whole tracks."""
        try:
            self.update(logs, newest=max((len(log.odometry) for _, log in logs), default=0) + 1)
        finally:
            self._stream.finish()
