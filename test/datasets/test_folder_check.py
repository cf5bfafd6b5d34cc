"""A folder of labelled images is checked before somebody trains on it."""

import cv2
import numpy as np
import pytest

from mav_perception.cli import main
from mav_perception.datasets.folder_check import check_folder, shared_images
from mav_perception.errors import DataError
from mav_perception.segmentation.labels import LABEL_SPACES

DRONE = LABEL_SPACES['drone']


def write(folder, name, image=None, labels=None, seed=0):
    """Write a random image, and labels with two squares of targets."""
    rng = np.random.default_rng(seed)
    for kind in ('images', 'labels'):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    if image is None:
        image = rng.integers(0, 255, (40, 60, 3), np.uint8)
    if labels is None:
        labels = np.zeros((40, 60), np.uint8)
        labels[5:10, 5:10] = labels[20:30, 40:50] = 1
    cv2.imwrite(str(folder / 'images' / f'{name}.png'), image)
    cv2.imwrite(str(folder / 'labels' / f'{name}.png'), labels)


def test_what_is_in_a_good_folder_is_counted(tmp_path):
    for seed in range(3):
        write(tmp_path, f'{seed}', seed=seed)
    write(tmp_path, 'empty', labels=np.zeros((40, 60), np.uint8), seed=9)
    report = check_folder(tmp_path, DRONE)
    assert report.problems == ()
    assert report.images == 4
    assert report.sizes == {(60, 40): 4}
    np.testing.assert_array_equal(report.images_with, [4, 3])
    np.testing.assert_array_equal(report.regions, [4, 6])
    assert report.pixels[1] == 3 * 125
    assert report.unknown == 0.0


@pytest.mark.parametrize(
    ('spoil', 'text'),
    [
        (lambda d: (d / 'labels/1.png').unlink(), 'its image has no label'),
        (lambda d: (d / 'images/1.png').unlink(), 'belongs to no image'),
        (lambda d: (d / 'images/1.png').write_bytes(b'no image'), 'not a readable image'),
        (lambda d: write(d, '1', labels=np.full((40, 60), 3, np.uint8)), 'has label 3'),
        (lambda d: write(d, '1', labels=np.zeros((20, 60), np.uint8)), 'has shape'),
        (lambda d: write(d, '1', seed=0), 'same pixels'),
    ],
)
def test_every_fault_is_named_and_the_rest_is_read(tmp_path, spoil, text):
    for seed in range(3):
        write(tmp_path, f'{seed}', seed=seed)
    spoil(tmp_path)
    report = check_folder(tmp_path, DRONE)
    assert len(report.problems) == 1
    assert text in report.problems[0]
    assert report.images >= 2


def test_masks_of_0_and_255_have_no_target_and_are_explained(tmp_path):
    labels = np.zeros((40, 60), np.uint8)
    write(tmp_path, 'a', labels=labels)
    assert 'No pixel' in check_folder(tmp_path, DRONE).problems[0]
    labels[:5] = 255
    write(tmp_path, 'a', labels=labels)
    (line,) = check_folder(tmp_path, DRONE).problems
    assert '255 means unknown' in line
    assert 'import masks` writes 1 drone' in line


def test_an_image_in_two_splits_is_found_by_the_command(tmp_path, capsys):
    for split, seeds in (('train', (1, 2)), ('val', (3, 2))):
        for seed in seeds:
            write(tmp_path / split, f'{split}{seed}', seed=seed)
    reports = [check_folder(tmp_path / split, DRONE) for split in ('train', 'val')]
    (line,) = shared_images(reports)
    assert 'val2.png' in line
    assert 'train2.png' in line
    assert main(['dataset', 'check', str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert 'to mend: 1' in said
    assert '2 images' in said
    (tmp_path / 'val/images/val2.png').unlink()
    (tmp_path / 'val/labels/val2.png').unlink()
    assert main(['dataset', 'check', str(tmp_path)]) == 0


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(DataError, match='No images'):
        check_folder(tmp_path, DRONE)
