"""Public data sets: addresses are said, downloads are checked and laid out."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from mav_perception.cli import main
from mav_perception.datasets import public_sets
from mav_perception.datasets.public_layout import lay_out
from mav_perception.datasets.public_sets import PUBLIC_SETS, fingerprint
from mav_perception.errors import DataError


@pytest.mark.parametrize('name', PUBLIC_SETS)
def test_the_official_address_and_the_terms_are_said(name, capsys):
    assert main(['dataset', 'fetch', name]) == 0
    said = capsys.readouterr().out
    assert 'http' in said
    assert 'terms:' in said


def robots(folder):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    np.savetxt(folder / 'Barcodes.dat', np.arange(40).reshape(20, 2), header='of subjects')
    np.savetxt(folder / 'Landmark_Groundtruth.dat', rng.normal(size=(15, 5)))
    for robot in range(1, 6):
        for kind, columns in (('Odometry', 3), ('Measurement', 4), ('Groundtruth', 4)):
            np.savetxt(folder / f'Robot{robot}_{kind}.dat', rng.normal(size=(30, columns)))
    return folder


def tables(folder):
    return {path.stem: np.loadtxt(path, ndmin=2) for path in folder.glob('*.dat')}


def test_a_download_is_laid_out_and_known_again(tmp_path, monkeypatch):
    source = robots(tmp_path / 'download' / 'MRCLAM')
    known = {f'mrclam6/{name}': fingerprint(table) for name, table in tables(source).items()}
    monkeypatch.setattr(public_sets, 'FINGERPRINTS', known)
    said = lay_out('mrclam', tmp_path / 'download', tmp_path / 'out')
    assert 'all numbers are those of set 6' in said[-1]
    assert len(list((tmp_path / 'out').iterdir())) == 17


def test_line_ends_do_not_matter_but_a_number_does(tmp_path, monkeypatch):
    source = robots(tmp_path / 'MRCLAM')
    known = {f'mrclam6/{name}': fingerprint(table) for name, table in tables(source).items()}
    monkeypatch.setattr(public_sets, 'FINGERPRINTS', known)
    file = source / 'Robot3_Odometry.dat'
    file.write_bytes(file.read_bytes().replace(b'\n', b'\r\n'))
    assert 'all numbers' in lay_out('mrclam', source, tmp_path / 'first')[-1]
    file.write_text(file.read_text().replace('1', '2', 1))
    with pytest.raises(DataError, match='Robot3_Odometry: not the numbers of set 6'):
        lay_out('mrclam', source, tmp_path / 'second')
    assert not (tmp_path / 'second').exists()


def test_another_set_is_taken_and_said(tmp_path):
    said = lay_out('mrclam', robots(tmp_path / 'MRCLAM'), tmp_path / 'out')
    assert 'other numbers than set 6' in said[-1]


def test_a_missing_table_is_named_and_nothing_is_left(tmp_path):
    source = robots(tmp_path / 'MRCLAM')
    (source / 'Robot5_Measurement.dat').unlink()
    with pytest.raises(DataError, match='no Robot5_Measurement'):
        lay_out('mrclam', source, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_what_is_there_already_is_not_touched(tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'mine').write_text('mine')
    with pytest.raises(DataError, match='is not empty'):
        lay_out('mrclam', robots(tmp_path / 'MRCLAM'), tmp_path / 'out')
    assert (tmp_path / 'out' / 'mine').read_text() == 'mine'


def test_flights_of_both_repositories_are_found(tmp_path):
    rows = np.tile(np.arange(8.0), (20, 1))
    rows[:, 0] += np.arange(20)
    for flight in ('MH_01', 'MH_03', 'MH_05'):
        (tmp_path / 'truth').mkdir(exist_ok=True)
        np.savetxt(tmp_path / 'truth' / f'{flight}_easy.txt', rows)
        for kind in ('mono', 'stereo'):
            folder = tmp_path / 'results' / f'laptop_vio_{kind}_{flight}'
            folder.mkdir(parents=True)
            np.savetxt(folder / 'stamped_traj_estimate.txt', rows)
    flown = tmp_path / 'MH_03_medium' / 'mav0' / 'state_groundtruth_estimate0'
    flown.mkdir(parents=True)  # as the official archive has it
    (tmp_path / 'truth' / 'MH_03_easy.txt').unlink()
    lines = [f'{int(row[0] * 1e9)},1.0,2.0,3.0,1.0,0.0,0.0,0.0' for row in rows]
    (flown / 'data.csv').write_text('#timestamp [ns], p_x, p_y, p_z, q_w, q_x, q_y, q_z\n')
    with (flown / 'data.csv').open('a') as stream:
        stream.write('\n'.join(lines))
    said = lay_out('euroc', tmp_path, tmp_path / 'out')
    assert '3 flights' in said[0]
    assert len(list(Path(tmp_path / 'out').iterdir())) == 9
    shutil.rmtree(tmp_path / 'results' / 'laptop_vio_mono_MH_03')
    with pytest.raises(DataError, match='vio_mono_MH_03'):
        lay_out('euroc', tmp_path, tmp_path / 'again')


def sequence(folder, value):
    (folder / 'Images').mkdir(parents=True)
    (folder / 'Segmentations').mkdir()
    cv2.imwrite(str(folder / 'Images' / 'a.jpg'), np.full((20, 30), 90, np.uint8))
    cv2.imwrite(str(folder / 'Segmentations' / 'a.png'), np.full((20, 30), value, np.uint8))


def test_sequences_of_images_and_masks_become_images_and_labels(tmp_path):
    sequence(tmp_path / 'in' / 'one', 1)
    lay_out('perch_drone', tmp_path / 'in', tmp_path / 'out')
    assert (tmp_path / 'out' / 'one' / 'labels' / 'a.png').is_file()
    sequence(tmp_path / 'in' / 'two', 77)
    with pytest.raises(DataError, match='mask of colours'):
        lay_out('perch_drone', tmp_path / 'in', tmp_path / 'again')
