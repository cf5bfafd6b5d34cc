"""Folders of labelled images: masks of 0 and 255, and folders that show nothing."""

import cv2
import numpy as np
import pytest

from mav_perception.errors import DataError
from mav_perception.io.labelled_images import folder_samples, labelled_pairs


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes a folder with one label image for each list of values."""

    def write(*values):
        for name in ('images', 'labels'):
            (tmp_path / name).mkdir()
        for index, found in enumerate(values):
            labels = np.zeros((8, 8), np.uint8)
            labels[0, : len(found)] = found
            cv2.imwrite(str(tmp_path / 'images' / f'{index}.png'), np.zeros((8, 8), np.uint8))
            cv2.imwrite(str(tmp_path / 'labels' / f'{index}.png'), labels)
        return tmp_path

    return write


def values(samples):
    return [sorted(np.unique(labels).tolist()) for _, labels in samples]


def test_masks_of_0_and_255_alone_show_the_target(folder):
    path = folder([255], [])
    with pytest.warns(UserWarning, match='255 is taken for the target'):
        samples = folder_samples(path, 2)
    assert values(samples) == [[0, 1], [0]]


@pytest.mark.parametrize('classes', [2, 4])
def test_beside_a_class_255_is_unknown(folder, classes):
    assert values(folder_samples(folder([255], [1, 255]), classes)) == [[0, 255], [0, 1, 255]]


def test_of_more_classes_255_is_always_unknown(folder):
    path = folder([255], [255])
    with pytest.raises(DataError, match='shows a target'):
        values(folder_samples(path, 4))


def test_two_images_of_one_label_are_named(folder):
    path = folder([1], [1])
    cv2.imwrite(str(path / 'images' / '1.jpg'), np.zeros((8, 8), np.uint8))
    with pytest.raises(DataError, match=r'1\.(jpg|png) and 1\.(jpg|png) share one label'):
        folder_samples(path, 2)


def test_a_folder_without_a_target_is_refused(folder):
    with pytest.raises(DataError, match='shows a target'):
        values(folder_samples(folder([], []), 2))


def test_a_broken_label_is_named(folder):
    path = folder([1], [1])
    (path / 'labels' / '0.png').write_bytes(b'no image')
    with pytest.raises(DataError, match=r'0\.png is not a readable'):
        values(folder_samples(path, 2))


def test_a_label_whose_image_nobody_finds_is_named(folder):
    path = folder([1], [1])
    (path / 'images' / '1.png').rename(path / 'images' / '1.pgm')
    with pytest.raises(DataError, match=r'1 labels have no image.*1\.png.*\.jpg'):
        labelled_pairs(path)
    problems = []
    assert len(labelled_pairs(path, problems)) == 1
    assert 'belongs to no image' in problems[0]


def test_a_label_in_colour_is_named_with_what_makes_ids_of_it(folder):
    path = folder([1])
    cv2.imwrite(str(path / 'labels' / '0.png'), np.full((8, 8, 3), (1, 2, 3), np.uint8))
    with pytest.raises(DataError, match=r'in colour.*import masks'):
        list(folder_samples(path, 2))
