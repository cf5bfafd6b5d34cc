"""Training on a small folder of real files: it learns, resumes exactly, and exports."""

import csv
from dataclasses import replace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='training needs the `train` extra')

from mav_perception.errors import ConfigurationError, DataError, ModelError  # noqa: E402
from mav_perception.segmentation.export import export_checkpoint  # noqa: E402
from mav_perception.segmentation.segmenter import Segmenter  # noqa: E402
from mav_perception.training.configuration import (  # noqa: E402
    TrainingConfiguration,
    load_training_configuration,
)
from mav_perception.training.trainer import Trainer  # noqa: E402


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
    return TrainingConfiguration(
        name='tiny', network='tied', labels='drone', train=str(folder), val=str(folder),
        training_data='squares', height=64, width=80, crop=(48, 64), epochs=6, batch_size=4,
        learning_rate=1e-2, validate_every=3,
    )  # fmt: skip


def weights(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.network.parameters()])


def test_training_learns_and_the_export_gives_the_same_masks(configuration, tmp_path):
    configuration = replace(configuration, epochs=25, validate_every=25)
    trainer = Trainer(configuration, tmp_path / 'run', resume=False)
    best = trainer.run()
    assert trainer.best_iou > 0.5
    rows = list(csv.DictReader((tmp_path / 'run' / 'metrics.csv').open()))
    assert [int(row['epoch']) for row in rows] == list(range(1, 26))
    assert float(rows[-1]['loss']) < 0.7 * float(rows[0]['loss'])
    card = export_checkpoint(best, tmp_path / 'models')
    segmenter = Segmenter.load(str(tmp_path / 'models' / 'tiny.onnx'))
    image = np.random.default_rng(1).integers(0, 255, (64, 80), dtype=np.uint8)
    tensor = torch.from_numpy(card.preprocessing.normalise(image))
    with torch.no_grad():
        expected = trainer.network.eval()(tensor)[0].argmax(0).numpy()
    assert (segmenter.segment(image).labels == expected).mean() > 0.999


def test_a_resumed_run_equals_one_that_was_never_cut(configuration, tmp_path):
    whole = Trainer(configuration, tmp_path / 'whole', resume=False)
    whole.run()
    cut = Trainer(configuration, tmp_path / 'cut', resume=False)
    for epoch in range(3):
        cut._train_epoch(epoch)
        cut.epoch = epoch + 1
    cut._save(tmp_path / 'cut' / 'last.pt')
    resumed = Trainer(configuration, tmp_path / 'cut', resume=True)
    assert resumed.epoch == 3
    resumed.run()
    torch.testing.assert_close(weights(resumed), weights(whole), rtol=1e-4, atol=1e-5)


def test_resuming_with_other_settings_is_refused(configuration, tmp_path):
    Trainer(configuration, tmp_path / 'run', resume=False)._save(tmp_path / 'run' / 'last.pt')
    with pytest.raises(ConfigurationError, match='other settings'):
        Trainer(replace(configuration, epochs=9), tmp_path / 'run', resume=True)


def test_a_folder_without_labels_is_named(configuration, folder, tmp_path):
    (folder / 'labels' / '3.png').unlink()
    with pytest.raises(DataError, match=r'labels/3\.png'):
        Trainer(configuration, tmp_path / 'run', resume=False)


def test_a_broken_checkpoint_is_named(tmp_path):
    (tmp_path / 'bad.pt').write_bytes(b'nothing')
    with pytest.raises(ModelError, match='no checkpoint'):
        export_checkpoint(tmp_path / 'bad.pt', tmp_path)


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('[1, 2]', 'mapping'),
        ('epoch: 3', "unknown key 'epoch'"),
        ('name: x', 'missing'),
        (
            'name: x\nnetwork: tied\nlabels: drone\ntrain: a\nval: a\ntraining_data: a\n'
            'class_weights: [1.0]',
            'class_weights needs 2',
        ),
    ],
)
def test_broken_configurations_name_the_cause(tmp_path, text, word):
    (tmp_path / 'bad.yaml').write_text(text)
    with pytest.raises(ConfigurationError, match=word):
        load_training_configuration(tmp_path / 'bad.yaml')
