"""A team from EuRoC flights: real VIO of several flights at once, sightings drawn from the truth.

Burri et al., IJRR 35(10), 2016; VIO outputs by rpg_trajectory_evaluation. The flights were flown
one after the other in one hall; shifted to a common time zero they are a team whose every VIO
frame has an origin and a yaw of its own. No two drones saw each other in reality.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import DataError
from mav_perception.geometry import OPTICAL_FROM_BODY, roll_pitch_yaw
from mav_perception.io.tables import read_table
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team import Team
from mav_perception.recordings.recording import UNIX_BEGIN_NS, LabelledFrame, PosePath, Recording
from mav_perception.simulation.flight.sensors import SightingNoise
from mav_perception.simulation.flight.sightings import draw_sightings
from mav_perception.types import FloatArray, OdometrySample, nanoseconds

NOISE = {
    'nominal': SightingNoise(
        bearing=np.radians(1.0),
        range_share=0.1,
        detection_probability=0.8,
        clutter_per_frame=0.5,
        min_range=0.5,
        max_range=10.0,
    ),
    'hard': SightingNoise(
        bearing=np.radians(2.5),
        range_share=0.2,
        detection_probability=0.5,
        clutter_per_frame=3.0,
        min_range=0.5,
        max_range=10.0,
    ),
}
FRAME_RATE = 10.0
HALF_CONE = np.radians(55.0)
PLACEHOLDERS = 2
"""First rows of the VIO files hold no output yet."""

BODY_FROM_SENSOR = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
"""EuRoC's sensor looks along +z with +x up; our body looks along +x with +z up (REP-103)."""


def euroc_parameters(noise: str) -> FilterParameters:
    """Return the filter's parameters for these flights: real VIO drifts little."""
    sight = NOISE[noise]
    return FilterParameters(
        detection_probability=sight.detection_probability,
        visible_probability=sight.detection_probability,  # misses are independent here
        detection_correlation=0.0,
        clutter_per_frame=sight.clutter_per_frame,
        half_view_horizontal=float(HALF_CONE),
        half_view_vertical=float(HALF_CONE),
        min_range=sight.min_range,
        max_range=sight.max_range,
        position_noise=0.03,
        yaw_noise=0.003,
        turn_noise=0.003,
    )


def load_euroc(
    folder: Path,
    flights: tuple[str, ...],
    vio: str,
    noise: str,
    duration: float | None = None,
    seed: int = 0,
) -> Recording:
    """Read flights and draw sightings between them.

    Args:
        folder: holds FLIGHT_truth and FLIGHT_vio_KIND, each as .tum or .tum.gz.
        flights: such as ('MH_01', 'MH_03', 'MH_05'), one a drone.
        vio: 'mono' or 'stereo'.
        noise: a key of `NOISE`.
        duration: seconds, or all that the flights have in common.
        seed: draws the sightings.

    Raises:
        DataError: a file is missing or broken.
    """
    truths = [_table(folder, f'{flight}_truth') for flight in flights]
    outputs = [_table(folder, f'{flight}_vio_{vio}')[PLACEHOLDERS:] for flight in flights]
    begins = [max(t[0, 0], o[0, 0]) for t, o in zip(truths, outputs, strict=True)]
    length = min(
        min(t[-1, 0], o[-1, 0]) - b for t, o, b in zip(truths, outputs, begins, strict=True)
    )
    length = length if duration is None else min(length, duration)
    for table, begin in zip([*truths, *outputs], [*begins, *begins], strict=True):
        table[:, 0] -= begin
    paths = tuple(_truth_path(truth) for truth in truths)
    names = tuple(f'mav{i + 1}' for i in range(len(flights)))
    start = np.concatenate([path.at(np.zeros(1, np.int64)) for path in paths])
    mount = CameraMount(np.zeros(3), OPTICAL_FROM_BODY)
    sigma = np.full((len(flights), 4), [0.1, 0.1, 0.1, 0.05])
    sigma[0] = 0.0
    return Recording(
        team=Team(names, start, sigma, ((mount,),) * len(flights)),
        odometry=tuple(_odometry(output, length) for output in outputs),
        frames=tuple(_frames(names, truths, length, NOISE[noise], seed)),
        truth=paths,
        begin_ns=0,
        end_ns=nanoseconds(length),
    ).shifted(UNIX_BEGIN_NS)


def _table(folder: Path, name: str) -> FloatArray:
    path, table = read_table(folder, name, 'tum', 'give the folder of EuRoC flights.')
    if table.shape[1] != 8 or not np.isfinite(table).all() or len(table) < 10:
        raise DataError(f'{path} needs rows of t x y z qx qy qz qw.')
    return table[np.unique(table[:, 0], return_index=True)[1]]


def _body_rotation(table: FloatArray) -> Rotation:
    return Rotation.from_quat(table[:, 4:]) * Rotation.from_matrix(BODY_FROM_SENSOR.T)


def _odometry(table: FloatArray, length: float) -> tuple[OdometrySample, ...]:
    table = table[(table[:, 0] >= 0.0) & (table[:, 0] <= length + 1.0)]
    quaternions = _body_rotation(table).as_quat()
    return tuple(
        OdometrySample(nanoseconds(row[0]), row[1:4], q)
        for row, q in zip(table, quaternions, strict=True)
    )


def _truth_path(table: FloatArray) -> PosePath:
    yaw = roll_pitch_yaw(_body_rotation(table).as_quat())[:, 2]
    stamps = np.array([nanoseconds(t) for t in table[:, 0]], np.int64)
    return PosePath(stamps, np.column_stack([table[:, 1:4], np.unwrap(yaw)]))


def _frames(
    names: tuple[str, ...],
    truths: list[FloatArray],
    length: float,
    noise: SightingNoise,
    seed: int,
) -> list[LabelledFrame]:
    """Draw what every drone sees of the others; false sightings are uniform in the view."""
    times = np.arange(1.0 / FRAME_RATE, length, 1.0 / FRAME_RATE)
    positions = np.stack(
        [np.column_stack([np.interp(times, t[:, 0], c) for c in t[:, 1:4].T]) for t in truths]
    )
    rotations = [Slerp(t[:, 0], _body_rotation(t))(times).as_matrix() for t in truths]
    camera = PinholeCamera.with_field_of_view(1000, 1000, float(2.0 * HALF_CONE))
    rng = np.random.default_rng(seed)
    frames = []
    for k, time in enumerate(times):
        for observer, name in enumerate(names):
            others = np.delete(np.arange(len(names)), observer)
            body = (positions[others, k] - positions[observer, k]) @ rotations[observer][k]
            optical = body @ OPTICAL_FROM_BODY.T
            cone = np.arccos(np.clip(optical[:, 2] / np.linalg.norm(optical, axis=1), -1.0, 1.0))
            inside = cone < HALF_CONE
            frames.append(
                draw_sightings(
                    name, nanoseconds(time), optical[inside], others[inside], camera,
                    noise, rng,
                )
            )  # fmt: skip
    return frames
