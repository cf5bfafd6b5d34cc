"""EuRoC flights as a team: body axes, common time, seeded sightings, broken files."""

import gzip

import numpy as np
import pytest

from mav_perception.datasets.euroc import BODY_FROM_SENSOR, load_euroc
from mav_perception.errors import DataError
from mav_perception.geometry import quaternion_from_euler
from mav_perception.recordings.recording import UNIX_BEGIN_NS


def write(folder, name, rows):
    with gzip.open(folder / f'{name}.tum.gz', 'wt') as stream:
        np.savetxt(stream, rows, header='time x y z qx qy qz qw')


@pytest.fixture
def folder(tmp_path):
    """Write two flights 4 m apart, face to face, as EuRoC's sensor sees it."""
    from scipy.spatial.transform import Rotation

    for index, (name, yaw) in enumerate((('A', 0.0), ('B', np.pi))):
        time = 1e9 + 500.0 * index + np.arange(0.0, 8.0, 0.05)
        body = Rotation.from_quat(quaternion_from_euler([0.0, 0.0, yaw]))
        sensor = (body * Rotation.from_matrix(BODY_FROM_SENSOR)).as_quat()
        poses = np.tile([4.0 * index, 0.0, 1.0, *sensor], (len(time), 1))
        write(tmp_path, f'{name}_truth', np.column_stack([time, poses]))
        write(tmp_path, f'{name}_vio_mono', np.column_stack([time, poses]))
    return tmp_path


def test_flights_share_time_zero_and_look_along_x(folder):
    recording = load_euroc(folder, ('A', 'B'), 'mono', 'nominal')
    assert recording.begin_ns == UNIX_BEGIN_NS
    assert recording.end_ns - recording.begin_ns == pytest.approx(7.85e9, abs=1e8)
    start = np.array([path.at(np.zeros(1, np.int64))[0] for path in recording.truth])
    np.testing.assert_allclose(start[0], [0, 0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(np.abs(start[1]), [4, 0, 1, np.pi], atol=1e-6)
    seen = [f for f in recording.frames if (f.labels >= 0).any()]
    assert len(seen) > 0.6 * len(recording.frames)
    point = np.mean([f.sightings.positions[f.labels >= 0][0] for f in seen], axis=0)
    np.testing.assert_allclose(point, [0, 0, 4], atol=0.15)


def test_the_seed_draws_the_sightings(folder):
    first, again, other = (
        load_euroc(folder, ('A', 'B'), 'mono', 'hard', seed=seed) for seed in (0, 0, 1)
    )
    counts = [[len(f.sightings) for f in r.frames] for r in (first, again, other)]
    assert counts[0] == counts[1] != counts[2]


def test_missing_and_broken_files_are_named(folder):
    with pytest.raises(DataError, match='C_truth'):
        load_euroc(folder, ('A', 'C'), 'mono', 'nominal')
    (folder / 'B_vio_mono.tum.gz').write_bytes(b'not gzip')
    with pytest.raises(DataError, match='B_vio_mono'):
        load_euroc(folder, ('A', 'B'), 'mono', 'nominal')
    write(folder, 'B_vio_mono', np.zeros((20, 5)))
    with pytest.raises(DataError, match='t x y z'):
        load_euroc(folder, ('A', 'B'), 'mono', 'nominal')
