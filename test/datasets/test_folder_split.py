"""Training and validation share no sequence, and both show targets."""

import shutil

import cv2
import numpy as np
import pytest

from mav_perception.datasets.folder_split import split_folder
from mav_perception.errors import ConfigurationError, DataError


@pytest.fixture
def folder(tmp_path):
    """Return five sequences of four images; the second half of each shows a target."""
    for name in ('images', 'labels'):
        (tmp_path / 'all' / name).mkdir(parents=True)
    for flight in range(5):
        for frame in range(4):
            labels = np.zeros((8, 8), np.uint8)
            labels[:2] = frame > 1
            for name, image in (('images', labels * 100), ('labels', labels)):
                cv2.imwrite(str(tmp_path / 'all' / name / f'f{flight}_{frame}.png'), image)
    return tmp_path / 'all'


def flights(folder):
    return {path.stem.split('_')[0] for path in folder.glob('images/*.png')}


def test_sequences_stay_whole(folder, tmp_path):
    counts = split_folder(folder, tmp_path / 'out', 0.3, '(f[0-9])_.*', 0, 2)
    assert counts == {'train': 12, 'val': 8}
    train, val = flights(tmp_path / 'out' / 'train'), flights(tmp_path / 'out' / 'val')
    assert not train & val
    assert train | val == {f'f{k}' for k in range(5)}
    assert len(list((tmp_path / 'out' / 'val' / 'labels').iterdir())) == 8


def test_the_same_seed_gives_the_same_split(folder, tmp_path):
    for name, seed in (('a', 1), ('b', 1), ('c', 2)):
        split_folder(folder, tmp_path / name, 0.2, '', seed, 2)
    a, b, c = ({p.name for p in (tmp_path / n / 'val' / 'images').iterdir()} for n in 'abc')
    assert a == b != c
    assert len(a) == 4


@pytest.mark.parametrize(
    ('group', 'share', 'text'),
    [
        ('f[0-9]', 0.2, 'no group in brackets'),
        ('(f[0-9]', 0.2, 'no regular expression'),
        ('(flight[0-9])', 0.2, 'does not match'),
        ('(f[0-3])?.*', 0.2, 'does not match'),
        ('', 1.5, 'between 0 and 1'),
    ],
)
def test_an_impossible_split_is_refused(folder, tmp_path, group, share, text):
    with pytest.raises(ConfigurationError, match=text):
        split_folder(folder, tmp_path / 'out', share, group, 0, 2)
    assert not (tmp_path / 'out').exists()


def test_a_split_without_a_target_is_refused(folder, tmp_path):
    with pytest.raises(DataError, match='no target'):
        split_folder(folder, tmp_path / 'out', 0.2, 'f[0-9]_([0-9])', 1, 2)
    assert not (tmp_path / 'out').exists()


def test_masks_of_0_and_255_are_split_like_others(folder, tmp_path):
    for file in (folder / 'labels').iterdir():
        cv2.imwrite(str(file), 255 * cv2.imread(str(file), cv2.IMREAD_UNCHANGED))
    with pytest.warns(UserWarning, match='255 is taken'):
        assert split_folder(folder, tmp_path / 'out', 0.2, '', 0, 2) == {'train': 16, 'val': 4}


def test_the_source_may_lie_in_the_output_and_a_split_is_never_replaced(folder, tmp_path):
    assert split_folder(folder, tmp_path, 0.3, '(f[0-9])_.*', 0, 2) == {'train': 12, 'val': 8}
    with pytest.raises(ConfigurationError, match='train is there already'):
        split_folder(folder, tmp_path, 0.3, '(f[0-9])_.*', 0, 2)


def test_a_split_that_is_ended_leaves_nothing_behind(folder, tmp_path, monkeypatch):
    copied = []

    def copy(source, target):
        copied.append(target)
        if len(copied) > 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, 'copyfile', copy)
    with pytest.raises(KeyboardInterrupt):
        split_folder(folder, tmp_path / 'out', 0.3, '(f[0-9])_.*', 0, 2)
    monkeypatch.undo()
    assert split_folder(folder, tmp_path / 'out', 0.3, '(f[0-9])_.*', 0, 2)['train'] == 12
