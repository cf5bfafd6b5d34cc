"""What is kept of a run to look at it later: a folder of TUM files and one of arrays."""

from __future__ import annotations

import csv
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.run_score import RunScore
from mav_perception.geometry import roll_pitch_yaw, wrap_angle
from mav_perception.io.files import write_json, written_whole
from mav_perception.io.tum import Trajectory, load_tum, save_tum
from mav_perception.recordings.recording import PosePath
from mav_perception.types import FloatArray, IntArray

KINDS = ('truth', 'estimate', 'vio')

BROKEN = (
    OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip
"""What readers of JSON and of numpy raise at files that are not whole."""


@dataclass(frozen=True)
class DroneRecord:
    """One drone of a run; poses are x, y, z, yaw in `map`.

    Attributes:
        name: of the drone.
        truth: true path, empty where nobody knows it; a long gap in it is not known either.
        estimate, vio: what the filter said, and odometry alone from the start.
        covariance: (K, 4, 4) of each estimate.
        restarts: stamps at which its VIO began anew.
    """

    name: str
    truth: PosePath
    estimate: PosePath
    vio: PosePath
    covariance: FloatArray
    restarts: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    def errors(self) -> FloatArray:
        """Return (K, 4) estimate minus truth at the stamps of the estimate, NaN without truth."""
        difference = self.estimate.poses - self.truth.known_at(self.estimate.stamps)
        difference[:, 3] = wrap_angle(difference[:, 3])
        return difference


@dataclass(frozen=True)
class Picture:
    """An image of a camera and what it shows; `jpeg` is its file."""

    caption: str
    jpeg: bytes


@dataclass(frozen=True)
class RunRecord:
    """A run.

    Attributes:
        title: what was run, in a line.
        drones: with at least one estimate each.
        figures: name -> number or list, as in summary.json.
        baselines: name -> figures, of other filters on the same data; empty if there were none.
        latency_ms: (L,) milliseconds; `latency_what` says between what.
        nis: (F, 2) normalised innovation squared of frames and their degrees of freedom.
        confusion: (N + 1, N + 1) sightings of drone i, the last row false ones, that were taken
            for drone j, the last column for none; empty where nobody knows who was seen.
        axes: which of x, y, z, yaw count for the NEES; vehicles on a plane have no z.
        score: errors of the run, None where nobody knows the truth.
        about: where the run comes from: name -> words, for the header of its report.
        independent: share of the frames that count as independent, less than 1 if measurement
            errors are declared to last.
        pictures: camera images with what was made of them.
    """

    title: str
    drones: tuple[DroneRecord, ...]
    figures: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)
    latency_ms: FloatArray = field(default_factory=lambda: np.zeros(0))
    latency_what: str = 'image to pose'
    nis: FloatArray = field(default_factory=lambda: np.zeros((0, 2)))
    confusion: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    axes: tuple[int, ...] = (0, 1, 2, 3)
    score: RunScore | None = None
    about: dict[str, str] = field(default_factory=dict)
    independent: float = 1.0
    pictures: tuple[Picture, ...] = ()

    @property
    def has_truth(self) -> bool:
        """Tell whether the true path of some drone is known."""
        return any(len(drone.truth.stamps) for drone in self.drones)

    @property
    def end_ns(self) -> int:
        """Return the last stamp of anything that is known of a drone, with a pose or without."""
        paths = [getattr(drone, kind) for drone in self.drones for kind in KINDS]
        return max(int(path.stamps[-1]) for path in paths if len(path.stamps))


def save_run(record: RunRecord, folder: Path) -> None:
    """Write run.json, run.npz, poses.csv and NAME.{truth,estimate,vio}.tum into a folder.

    The file of a truth that nobody knows is left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        'latency_ms': record.latency_ms,
        'nis': record.nis,
        'confusion': record.confusion,
    }
    for index, drone in enumerate(record.drones):
        arrays |= {f'covariance_{index}': drone.covariance, f'restarts_{index}': drone.restarts}
        for kind in KINDS:
            path, file = getattr(drone, kind), folder / f'{drone.name}.{kind}.tum'
            file.unlink(missing_ok=True)
            if len(path.stamps):
                save_tum(Trajectory.level(path.stamps, path.poses), file)
    with written_whole(folder / 'run.npz') as part:
        np.savez_compressed(part, allow_pickle=False, **arrays)
    words = {
        'title': record.title,
        'drones': [drone.name for drone in record.drones],
        'figures': record.figures,
        'rivals': record.baselines,
        'latency_what': record.latency_what,
        'axes': list(record.axes),
        'score': None if record.score is None else record.score.figures(),
        'about': record.about,
        'independent': record.independent,
        'pictures': [picture.caption for picture in record.pictures],
    }
    _write_table(record, folder / 'poses.csv')
    for index in range(_pictures_of_last_run(folder)):
        (folder / f'picture_{index}.jpg').unlink(missing_ok=True)
    for index, picture in enumerate(record.pictures):
        with written_whole(folder / f'picture_{index}.jpg') as part:
            part.write_bytes(picture.jpeg)
    write_json(folder / 'run.json', words)


def _pictures_of_last_run(folder: Path) -> int:
    """Return how many pictures an earlier run has left; others are none of ours."""
    try:
        return len(json.loads((folder / 'run.json').read_text()).get('pictures', ()))
    except BROKEN:
        return 0


def _write_table(record: RunRecord, path: Path) -> None:
    """Write all poses with their standard deviations as a table, for spreadsheets."""
    axes = ('x', 'y', 'z', 'yaw')
    with written_whole(path) as part, part.open('w', newline='') as stream:
        writer = csv.writer(stream)
        writer.writerow(['drone', 'stamp_ns', *axes, *(f'sigma_{axis}' for axis in axes)])
        for drone in record.drones:
            sigma = np.sqrt(np.maximum(np.diagonal(drone.covariance, axis1=1, axis2=2), 0.0))
            rows = zip(drone.estimate.stamps, drone.estimate.poses, sigma, strict=True)
            for stamp, pose, sigmas in rows:
                numbers = (f'{value:.6f}' for value in (*pose, *sigmas))
                writer.writerow([drone.name, int(stamp), *numbers])


def load_run(folder: Path) -> RunRecord:
    """Read a run.

    Raises:
        DataError: a file is missing or broken.
    """
    try:
        words = json.loads((folder / 'run.json').read_text())
        with np.load(folder / 'run.npz', allow_pickle=False) as file:
            arrays = dict(file)
        drones = tuple(
            _load_drone(
                folder,
                name,
                arrays[f'covariance_{index}'],
                arrays.get(f'restarts_{index}', np.zeros(0, np.int64)),
            )
            for index, name in enumerate(words['drones'])
        )
        return RunRecord(
            title=words['title'],
            drones=drones,
            figures=words['figures'],
            baselines=words['rivals'],
            latency_ms=arrays['latency_ms'],
            latency_what=words['latency_what'],
            nis=arrays['nis'],
            confusion=arrays['confusion'],
            axes=tuple(words['axes']),
            score=RunScore.of(words['score']) if words.get('score') else None,
            about=words.get('about', {}),
            independent=words.get('independent', 1.0),
            pictures=tuple(
                Picture(caption, (folder / f'picture_{index}.jpg').read_bytes())
                for index, caption in enumerate(words.get('pictures', ()))
            ),
        )
    except BROKEN as error:
        raise DataError(
            f'{folder} is no folder of a run ({error}): give one that the demo, `replay --output` '
            'or monitor_node wrote.'
        ) from error


def _load_drone(
    folder: Path, name: str, covariance: FloatArray, restarts: IntArray
) -> DroneRecord:
    truth = folder / f'{name}.truth.tum'
    nothing = PosePath(np.zeros(0, np.int64), np.zeros((0, 4)))
    paths = [_level(load_tum(truth)) if truth.is_file() else nothing]
    paths += [_level(load_tum(folder / f'{name}.{kind}.tum')) for kind in KINDS[1:]]
    if len(covariance) != len(paths[1].stamps):
        raise ValueError(f'{len(covariance)} covariances for {len(paths[1].stamps)} poses')
    truth_path, estimate, vio = paths
    return DroneRecord(
        name=name,
        truth=truth_path,
        estimate=estimate,
        vio=vio,
        covariance=covariance,
        restarts=restarts,
    )


def _level(trajectory: Trajectory) -> PosePath:
    yaw = np.unwrap(roll_pitch_yaw(trajectory.quaternions)[:, 2])
    stamps: IntArray = trajectory.stamps
    return PosePath(stamps, np.column_stack([trajectory.positions, yaw]))
