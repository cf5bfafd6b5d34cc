"""A run as a recording for the Rerun viewer: `rerun FILE.rrd`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np

from mav_perception.errors import MissingDependencyError
from mav_perception.evaluation.run_record import RunRecord

COLOURS = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189))


def require_rerun(path: Path | None) -> None:
    """Raise MissingDependencyError if a recording is wanted and Rerun is not installed."""
    if path is not None and importlib.util.find_spec('rerun') is None:
        raise MissingDependencyError('--rerun needs Rerun: pip install "rerun-sdk>=0.23".')


def write_rerun(record: RunRecord, path: Path) -> None:
    """Write tracks, covariance ellipsoids, errors and sigma over time."""
    import rerun

    path.parent.mkdir(parents=True, exist_ok=True)
    stream = rerun.RecordingStream('mav_perception')
    stream.save(str(path))
    stream.log('map', rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    for index, drone in enumerate(record.drones):
        colour = COLOURS[index % len(COLOURS)]
        for kind, radius in (('truth', 0.03), ('vio', 0.005)):
            points = getattr(drone, kind).poses[:, :3]
            strip = rerun.LineStrips3D([points], colors=[colour], radii=radius)
            stream.log(f'map/{drone.name}/{kind}', strip, static=True)
        errors = np.linalg.norm(drone.errors()[:, :3], axis=1)
        for row, stamp in enumerate(drone.estimate.stamps.tolist()):
            stream.set_time('time', timestamp=stamp * 1e-9)
            pose, covariance = drone.estimate.poses[row], drone.covariance[row][:3, :3]
            half = 3.0 * np.sqrt(np.maximum(np.diag(covariance), 1e-8))
            stream.log(
                f'map/{drone.name}/estimate',
                rerun.Ellipsoids3D(centers=[pose[:3]], half_sizes=[half], colors=[colour]),
            )
            sigma = float(np.sqrt(np.trace(covariance)))
            stream.log(f'error/{drone.name}', rerun.Scalars(float(errors[row])))
            stream.log(f'sigma/{drone.name}', rerun.Scalars(sigma))
    stream.flush()
