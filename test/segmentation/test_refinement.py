"""Refinement: where the crops lie, and that it changes the logits there and nowhere else."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from mav_perception.errors import ModelError
from mav_perception.segmentation import refinement
from mav_perception.segmentation.model_card import find_model, load_card
from mav_perception.segmentation.refinement import MAX_CROPS, CropRefiner
from mav_perception.segmentation.segmenter import Segmenter


def seen(*boxes, shape=(200, 300)):
    """Mark (top, left, height, width) boxes in a mask."""
    mask = np.zeros(shape, np.uint8)
    for top, left, height, width in boxes:
        mask[top : top + height, left : left + width] = 1
    return mask


def test_every_far_blob_is_wholly_in_one_window_inside_the_image():
    rng = np.random.default_rng(0)
    for _ in range(50):
        boxes = [(*rng.integers(0, (190, 290)), *rng.integers(2, 11, 2)) for _ in range(3)]
        windows = refinement.choose_crops(seen(*boxes), (64, 64))
        assert 1 <= len(windows) <= 3
        for top, left, height, width in boxes:
            height, width = min(height, 200 - top), min(width, 300 - left)
            assert any(
                row <= top and top + height <= row + 64 and c <= left and left + width <= c + 64
                for row, c in windows
            )
        assert all(0 <= row <= 200 - 64 and 0 <= column <= 300 - 64 for row, column in windows)


def test_neighbours_share_a_window_and_near_blobs_need_none():
    assert len(refinement.choose_crops(seen((50, 50, 8, 8), (60, 70, 5, 5)), (64, 64))) == 1
    assert refinement.choose_crops(seen((50, 50, 40, 10)), (64, 64)) == []
    assert refinement.choose_crops(seen(), (64, 64)) == []


def test_the_largest_blobs_go_first_where_there_are_too_many():
    boxes = [(10 + 60 * (i // 4), 10 + 70 * (i % 4), 3, 3 + i) for i in range(12)]
    windows = refinement.choose_crops(seen(*boxes, shape=(200, 300)), (32, 32))
    assert len(windows) == MAX_CROPS
    top, left = windows[0]
    assert top <= 130 < top + 32 and left <= 220 < left + 32


class Constant:
    """Stands for a network: it always answers the same and counts how often it was asked."""

    description = 'constant'

    def __init__(self):
        """Count nothing yet."""
        self.asked = 0

    def reset(self):
        pass

    def infer(self, tensor):
        """Answer -4 for the background and 4 for the target."""
        self.asked += 1
        scores = np.full((1, 2, *tensor.shape[2:]), 4.0, np.float32)
        scores[:, 0] = -4.0
        return scores


@pytest.fixture
def card():
    return replace(load_card(find_model('drone')), height=96, width=96)


def test_refinement_replaces_what_the_coarse_pass_saw_and_nothing_else(card):
    logits = np.zeros((2, 400, 500), np.float32)
    logits[0] = 2.0
    logits[1, 100:110, 200:220] = 3.0
    before = logits.copy()
    CropRefiner(card, Constant(), 2.0).refine(logits, np.zeros((400, 500), np.uint8), 0.5)
    changed = (logits != before).any(axis=0)
    assert changed[100:110, 200:220].all()
    assert not changed[:85].any() and not changed[125:].any() and not changed[:, 235:].any()
    np.testing.assert_array_equal(logits[1, 100:110, 200:220], 4.0)


def test_an_image_without_more_detail_is_magnified_all_the_same(card):
    backend = Constant()
    logits = np.zeros((2, 400, 500), np.float32)
    logits[0], logits[1, 100:110, 200:220] = 2.0, 3.0
    CropRefiner(card, backend, 2.0).refine(logits, np.zeros((400, 500), np.uint8), 1.0)
    assert backend.asked == 1
    np.testing.assert_array_equal(logits[1, 100:110, 200:220], 4.0)
    assert (logits[0, 130:] == 2.0).all()


def test_a_small_image_is_one_window(card):
    backend = Constant()
    logits = np.zeros((2, 60, 500), np.float32)
    logits[1, 20:30, 200:220] = 3.0
    CropRefiner(card, backend, 2.0).refine(logits, np.zeros((60, 500, 3), np.uint8), 0.5)
    assert backend.asked == 1


class SeesTheMiddle(Constant):
    """Stands for a first pass that sees a target in the middle of its input."""

    def infer(self, tensor):
        """Answer a target of 16 pixels."""
        scores = super().infer(tensor)[:, ::-1].copy()
        row, column = tensor.shape[2] // 2, tensor.shape[3] // 2
        scores[:, 1, row - 8 : row + 8, column - 8 : column + 8] = 8.0
        return scores


@pytest.mark.parametrize(
    'shape',
    [(1024, 1280), (700, 1500, 3), (512, 640), (384, 640), (60, 80), (80, 100)],
)
def test_images_of_any_size_are_looked_at_again(card, shape):
    first = replace(card, height=512, width=640)
    look = Constant()
    segmenter = Segmenter(first, SeesTheMiddle(), CropRefiner(card, look, 2.0))
    image = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    assert segmenter.segment(image).labels.shape == shape[:2]
    assert look.asked == 1


@pytest.mark.parametrize('shape', [(60, 1920), (1920, 300)])
def test_a_blob_of_a_strip_is_far_if_it_is_small_in_the_first_pass(shape):
    middle = shape[0] // 2
    strip = seen((middle - 12, shape[1] // 2 - 12, 24, 24), shape=shape)
    (window,) = refinement.choose_crops(strip, (128, 128))
    assert all(0 <= first < size for first, size in zip(window, shape, strict=True))


def test_a_look_of_other_labels_is_refused_when_it_is_loaded(tmp_path):
    for name, look in (('drone', 'penstock'), ('penstock', '')):
        path = find_model(name)
        shutil.copy(path, tmp_path)
        replace(load_card(path), look=look).save(tmp_path / f'{name}.yaml')
    with pytest.raises(ModelError, match='its look penstock tells penstock'):
        Segmenter.load(str(tmp_path / 'drone.onnx'))


def test_a_card_whose_look_magnifies_nothing_is_refused(tmp_path):
    path = find_model('drone')
    shutil.copy(path, tmp_path)
    replace(load_card(path), look_magnification=0.0).save(tmp_path / 'drone.yaml')
    with pytest.raises(ModelError, match='look_magnification'):
        Segmenter.load(str(tmp_path / 'drone.onnx'))
