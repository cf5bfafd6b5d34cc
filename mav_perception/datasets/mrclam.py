"""UTIAS MR.CLAM data sets: five ground robots with odometry, sightings and Vicon truth.

Leung et al., IJRR 30(8), 2011. The robots' barcodes are dropped, so that a sighting has no name;
sightings of landmarks are real, static false positives, of which a share is fed in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.geometry import OPTICAL_FROM_BODY, quaternion_from_euler
from mav_perception.io.tables import read_table
from mav_perception.localization.measurement.visibility import solid_angle
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team import Team
from mav_perception.recordings.recording import LabelledFrame, PosePath, Recording
from mav_perception.types import (
    NANOSECONDS,
    FloatArray,
    OdometrySample,
    Sightings,
    nanoseconds,
)

ROBOTS = 5
RANGE_SIGMA = 0.2
BEARING_SIGMA = 0.03
"""Twice and more the scatter of one reading (0.1 m, 0.008 rad): a few in a hundred are far off."""

ERROR_CORRELATION = 1.0
"""Seconds; benchmarks/localization/correlation.py has the figures."""

HALF_VIEW = 0.59
MIN_RANGE, MAX_RANGE = 0.5, 6.0

ODOMETRY_STEP = 0.05
"""Wheel odometry is integrated at its own rate and kept at this step, seconds."""


def mrclam_parameters(clutter: float) -> FilterParameters:
    """Return the filter's parameters for these robots; they move on a plane.

    The elevation of every sighting is exactly zero, so its axis carries no clutter: the density of
    the two axes that remain is divided by the peak of the elevation's normal density, which every
    true sighting has too.
    """
    plane = FilterParameters(
        detection_probability=0.4,
        clutter_per_frame=0.05 + clutter,
        half_view_horizontal=HALF_VIEW,
        half_view_vertical=HALF_VIEW,
        min_range=MIN_RANGE,
        max_range=MAX_RANGE,
        position_noise=0.15,
        yaw_noise=0.2,
        turn_noise=0.2,
        hover_position_noise=0.005,
        hover_yaw_noise=0.005,
        vertical_noise_scale=0.0,
        error_correlation=ERROR_CORRELATION,
    )
    flat_angle = 2.0 * HALF_VIEW * np.sqrt(2.0 * np.pi) * BEARING_SIGMA
    return replace(plane, clutter_density_scale=float(solid_angle(plane) / flat_angle))


@dataclass(frozen=True)
class RobotTables:
    """Raw columns of one robot: odometry (t, v, w), measurements (t, barcode, r, b), truth."""

    odometry: FloatArray
    measurements: FloatArray
    truth: FloatArray


def load_mrclam(
    folder: Path, clutter: float, duration: float | None = None, seed: int = 0
) -> Recording:
    """Read a data set and strip the identities.

    Args:
        folder: holds Barcodes, RobotK_Odometry, RobotK_Measurement and RobotK_Groundtruth, each
            as .dat or .dat.gz.
        clutter: share of the landmark sightings that is fed in as false positives, 0..1.
        duration: seconds from the first time that all robots have odometry and truth, or all.
        seed: draws which landmark sightings are kept.

    Raises:
        DataError: a file is missing or broken.
    """
    barcodes = _table(folder, 'Barcodes', 2)
    subject = {int(code): int(number) for number, code in barcodes}
    robots = [
        RobotTables(
            _table(folder, f'Robot{k}_Odometry', 3),
            _table(folder, f'Robot{k}_Measurement', 4),
            _table(folder, f'Robot{k}_Groundtruth', 4),
        )
        for k in range(1, ROBOTS + 1)
    ]
    begin = max(max(r.odometry[0, 0], r.truth[0, 0]) for r in robots)
    end = min(min(r.odometry[-1, 0], r.truth[-1, 0]) for r in robots)
    if duration is not None:
        end = min(end, begin + duration)
    names = tuple(f'robot{k}' for k in range(1, ROBOTS + 1))
    truth = tuple(_truth_path(robot, begin) for robot in robots)
    frames: list[LabelledFrame] = []
    rng = np.random.default_rng(seed)
    for name, robot in zip(names, robots, strict=True):
        frames += _frames(name, robot.measurements, subject, begin, end, clutter, rng)
    start = np.array([path.at(np.array([0]))[0] for path in truth])
    mount = CameraMount(np.zeros(3), OPTICAL_FROM_BODY)
    return Recording(
        team=Team(
            names, start, np.full((ROBOTS, 4), [0.01, 0.01, 0.0, 0.01]), ((mount,),) * ROBOTS
        ),
        odometry=tuple(_odometry(robot, begin, end) for robot in robots),
        frames=tuple(sorted(frames, key=lambda frame: frame.sightings.stamp_ns)),
        truth=truth,
        begin_ns=0,
        end_ns=nanoseconds(end - begin),
    ).shifted(round(begin * NANOSECONDS))


def _table(folder: Path, name: str, columns: int) -> FloatArray:
    path, table = read_table(folder, name, 'dat', 'give the folder of an MR.CLAM set.')
    if table.shape[1] != columns or not np.isfinite(table).all():
        raise DataError(f'{path} needs {columns} columns of numbers, has {table.shape[1]}.')
    return table


def _odometry(robot: RobotTables, begin: float, end: float) -> tuple[OdometrySample, ...]:
    """Integrate velocities along circular arcs, and keep a pose every ODOMETRY_STEP."""
    table = robot.odometry[
        (robot.odometry[:, 0] >= begin - 1.0) & (robot.odometry[:, 0] <= end + 1)
    ]
    time, speed, rate = table.T
    step = np.diff(time)
    yaw = np.concatenate([[0.0], np.cumsum(rate[:-1] * step)])
    middle = yaw[:-1] + rate[:-1] * step / 2.0
    x = np.concatenate([[0.0], np.cumsum(speed[:-1] * step * np.cos(middle))])
    y = np.concatenate([[0.0], np.cumsum(speed[:-1] * step * np.sin(middle))])
    grid = np.arange(0.0, end - begin + ODOMETRY_STEP, ODOMETRY_STEP)
    x, y, yaw = (np.interp(grid + begin, time, values) for values in (x, y, yaw))
    quaternions = quaternion_from_euler(np.column_stack([0 * yaw, 0 * yaw, yaw]))
    return tuple(
        OdometrySample(round(t * NANOSECONDS), np.array([px, py, 0.0]), q)
        for t, px, py, q in zip(grid, x, y, quaternions, strict=True)
    )


def _truth_path(robot: RobotTables, begin: float) -> PosePath:
    time, x, y, yaw = robot.truth.T
    poses = np.column_stack([x, y, np.zeros_like(x), np.unwrap(yaw)])
    return PosePath(np.round((time - begin) * NANOSECONDS).astype(np.int64), poses)


def _frames(
    name: str,
    table: FloatArray,
    subject: dict[int, int],
    begin: float,
    end: float,
    clutter: float,
    rng: np.random.Generator,
) -> list[LabelledFrame]:
    """Group sightings of one instant into frames; a frame of landmarks alone is an empty one."""
    table = table[(table[:, 0] >= begin) & (table[:, 0] <= end)]
    frames = []
    for rows in np.split(table, np.flatnonzero(np.diff(table[:, 0])) + 1):
        if not len(rows):
            continue
        numbers = np.array([subject.get(int(code), 0) for code in rows[:, 1]])
        robot = (numbers >= 1) & (numbers <= ROBOTS)
        kept = robot | ((numbers > ROBOTS) & (rng.random(len(rows)) < clutter))
        distance, bearing = rows[kept, 2], rows[kept, 3]
        # Left positive in the plane of the robots; z forward and x right in the optical frame.
        optical = np.column_stack([-np.sin(bearing), 0.0 * bearing, np.cos(bearing)])
        count = len(distance)
        sightings = Sightings(
            observer=name,
            stamp_ns=round((rows[0, 0] - begin) * NANOSECONDS),
            positions=optical * distance[:, None],
            bearing_var=np.full(count, BEARING_SIGMA**2),
            range_var=np.full(count, RANGE_SIGMA**2),
        )
        labels = np.where(robot[kept], numbers[kept] - 1, -1)
        frames.append(LabelledFrame(sightings, labels))
    return frames
