"""A bright square on noise, as files and as settings to train on them."""

import cv2
import numpy as np
import pytest


@pytest.fixture
def folder(tmp_path):
    """Eight images of a bright square on noise, with labels."""
    rng = np.random.default_rng(0)
    for name in ('images', 'labels'):
        (tmp_path / 'data' / name).mkdir(parents=True)
    for index in range(8):
        image = rng.integers(0, 90, (64, 80), dtype=np.uint8)
        labels = np.zeros((64, 80), np.uint8)
        row, column = rng.integers(10, 40, 2)
        image[row : row + 14, column : column + 18] = 230
        labels[row : row + 14, column : column + 18] = 1
        cv2.imwrite(str(tmp_path / 'data' / 'images' / f'{index}.png'), image)
        cv2.imwrite(str(tmp_path / 'data' / 'labels' / f'{index}.png'), labels)
    return tmp_path / 'data'


@pytest.fixture
def configuration(folder):
    """Set up a training run of seconds."""
    pytest.importorskip('torch', reason='training needs the `train` extra')
    from mav_perception.training.configuration import TrainingConfiguration

    return TrainingConfiguration(
        name='tiny', network='tied', labels='drone', train=str(folder), val=str(folder),
        training_data='squares', height=64, width=96, crop=(48, 64), epochs=6, batch_size=4,
        learning_rate=1e-2, validate_every=3, average=0.9,
    )  # fmt: skip
