"""MR.CLAM files: a small set written here, and broken ones."""

import gzip

import numpy as np
import pytest

from mav_perception.datasets.mrclam import load_mrclam, mrclam_parameters
from mav_perception.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Write five robots on parallel lines; robot 1 sees robot 2 and a landmark."""
    head = '# made here\n'
    codes = {k: 10 * k for k in range(1, 21)}
    (tmp_path / 'Barcodes.dat').write_text(head + ''.join(f'{k} {c}\n' for k, c in codes.items()))
    time = np.arange(0.0, 20.0, 0.1)
    for robot in range(1, 6):
        odometry = ''.join(f'{t:.3f} 0.1 0.0\n' for t in time)
        truth = ''.join(f'{t:.3f} {0.1 * t:.4f} {robot} 0.0\n' for t in time)
        seen = f'5.000 {codes[2]} 2.0 0.3\n5.000 {codes[9]} 4.0 -0.2\n6.000 {codes[9]} 3.0 0.1\n'
        seen += '7.000 999 1.0 0.0\n'
        with gzip.open(tmp_path / f'Robot{robot}_Odometry.dat.gz', 'wt') as stream:
            stream.write(head + odometry)
        (tmp_path / f'Robot{robot}_Groundtruth.dat').write_text(head + truth)
        (tmp_path / f'Robot{robot}_Measurement.dat').write_text(head + seen)
    return tmp_path


def test_identities_go_and_frames_of_landmarks_stay_as_empty_ones(folder):
    recording = load_mrclam(folder, clutter=0.0)
    frames = [f for f in recording.frames if f.sightings.observer == 'robot1']
    assert [len(f.sightings) for f in frames] == [1, 0, 0]
    assert frames[0].labels.tolist() == [1]
    x, y, z = frames[0].sightings.positions[0]
    assert (z, y) == pytest.approx((2.0 * np.cos(0.3), 0.0))
    assert x == pytest.approx(-2.0 * np.sin(0.3))  # left positive becomes right negative


def test_clutter_feeds_landmarks_in(folder):
    frames = load_mrclam(folder, clutter=1.0).frames
    assert [len(f.sightings) for f in frames if f.sightings.observer == 'robot1'] == [2, 1, 0]
    assert frames[0].labels.tolist() == [1, -1]


def test_odometry_is_integrated(folder):
    recording = load_mrclam(folder, 0.0)
    path = recording.odometry_path(0)
    stamps = recording.begin_ns + np.array([0, 10 * 10**9])
    np.testing.assert_allclose(np.diff(path.at(stamps)[:, 0]), 1.0, atol=1e-6)


def test_duration_cuts(folder):
    recording = load_mrclam(folder, 0.0, duration=5.5)
    assert recording.end_ns - recording.begin_ns == pytest.approx(5.5e9)


@pytest.mark.parametrize(
    ('name', 'text', 'word'),
    [
        ('Barcodes.dat', '1 2 3\n', 'columns'),
        ('Robot3_Groundtruth.dat', 'what\n', 'broken'),
    ],
)
def test_broken_files_are_named(folder, name, text, word):
    (folder / name).write_text(text)
    with pytest.raises(DataError, match=f'{name}.*{word}'):
        load_mrclam(folder, 0.0)


def test_a_missing_file_is_named(folder):
    (folder / 'Robot5_Measurement.dat').unlink()
    with pytest.raises(DataError, match='Robot5_Measurement'):
        load_mrclam(folder, 0.0)


def test_clutter_raises_the_expected_density():
    assert mrclam_parameters(0.3).clutter_per_frame > mrclam_parameters(0.0).clutter_per_frame
