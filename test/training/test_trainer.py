"""Training on a small folder of real files: it learns, resumes exactly, and exports."""

import csv
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

torch = pytest.importorskip('torch', reason='training needs the `train` extra')
pytest.importorskip('tensorboard', reason='training needs the `train` extra')

from tensorboard.backend.event_processing import event_accumulator  # noqa: E402
from torch.nn import functional  # noqa: E402

from mav_perception.cli import main  # noqa: E402
from mav_perception.errors import ConfigurationError, DataError, ModelError  # noqa: E402
from mav_perception.segmentation.checkpoint import find_checkpoint  # noqa: E402
from mav_perception.segmentation.networks import NETWORKS  # noqa: E402
from mav_perception.segmentation.segmenter import Segmenter  # noqa: E402
from mav_perception.training.configuration import load_training_configuration  # noqa: E402
from mav_perception.training.datasets import TrainingCrops  # noqa: E402
from mav_perception.training.export import export_checkpoint, load_checkpoint  # noqa: E402
from mav_perception.training.loading import EpochBatches  # noqa: E402
from mav_perception.training.sources import training_source  # noqa: E402
from mav_perception.training.trainer import Trainer  # noqa: E402

GOOD = 'name: x\nnetwork: tied\nlabels: drone\ntrain: a\nval: a\ntraining_data: a\n'
CONFIGURATIONS = Path(__file__).resolve().parents[2] / 'config' / 'training'


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
    image = np.random.default_rng(1).integers(0, 255, (64, 96), dtype=np.uint8)
    tensor = torch.from_numpy(card.preprocessing.normalise(image))
    with torch.no_grad():
        small = load_checkpoint(best)[0](tensor)
        expected = functional.interpolate(small, size=(64, 96), mode='bilinear')[0].argmax(0)
    assert (segmenter.segment(image).labels == expected.numpy()).mean() > 0.999
    for name in ('curves.png', 'predictions.jpg'):
        assert cv2.imread(str(tmp_path / 'run' / name)) is not None
    events = event_accumulator.EventAccumulator(str(tmp_path / 'run')).Reload()
    assert [event.step for event in events.Scalars('loss')] == list(range(1, 26))
    assert [event.step for event in events.Images('predictions')] == [25]
    assert len(events.Scalars('iou/drone')) == 1


@pytest.mark.parametrize('network', ['tied', 'fast_scnn', 'streaming'])
def test_a_resumed_run_equals_one_that_was_never_cut(configuration, tmp_path, network):
    configuration = replace(
        configuration, mine_every=2, hard_crops=0.5, network=network, crop=(64, 96)
    )
    whole = Trainer(configuration, tmp_path / 'whole', resume=False)
    whole.run()
    cut = Trainer(configuration, tmp_path / 'cut', resume=False)
    cut._out_of_patience = lambda: cut.epoch == 3  # as if the machine stopped there
    cut.run()
    with (tmp_path / 'cut' / 'metrics.csv').open('a') as stream:
        stream.write('4,0.5,0\n')  # as if it stopped before the checkpoint of that epoch
    resumed = Trainer(configuration, tmp_path / 'cut', resume=True)
    assert resumed.epoch == 3
    resumed.run()
    rows = list(csv.DictReader((tmp_path / 'cut' / 'metrics.csv').open()))
    assert [row['epoch'] for row in rows] == ['1', '2', '3', '4', '5', '6']
    torch.testing.assert_close(weights(resumed), weights(whole), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('left', [0, 2000])
def test_a_broken_checkpoint_is_not_gone_on_with(configuration, tmp_path, left):
    trainer = Trainer(configuration, tmp_path / 'run', resume=False)
    last = tmp_path / 'run' / 'last.pt'
    trainer._save(last, trainer.network)
    last.write_bytes(last.read_bytes()[:left])
    with pytest.raises(ModelError, match=r'last\.pt is no checkpoint'):
        Trainer(configuration, tmp_path / 'run', resume=True)


def test_pictures_that_are_gone_are_missed(configuration, folder, tmp_path):
    trainer = Trainer(configuration, tmp_path / 'run', resume=False)
    trainer._save(tmp_path / 'run' / 'last.pt', trainer.network)
    for name in ('images', 'labels'):
        (folder / name / '3.png').unlink()
    with pytest.raises(ConfigurationError, match='on 8 pictures, now there are 7'):
        Trainer(configuration, tmp_path / 'run', resume=True)


def test_a_run_of_ten_steps_has_a_schedule(configuration, tmp_path):
    ten = replace(configuration, epochs=5, validate_every=5)
    trainer = Trainer(ten, tmp_path / 'run', resume=False)
    assert trainer._steps == 2
    trainer.run()


def test_resuming_with_other_settings_is_refused(configuration, tmp_path):
    trainer = Trainer(configuration, tmp_path / 'run', resume=False)
    trainer._save(tmp_path / 'run' / 'last.pt', trainer.network)
    with pytest.raises(ConfigurationError, match='other settings'):
        Trainer(replace(configuration, epochs=9), tmp_path / 'run', resume=True)


def test_resuming_a_run_of_another_version_is_refused(configuration, tmp_path):
    trainer = Trainer(configuration, tmp_path / 'run', resume=False)
    trainer._save(tmp_path / 'run' / 'last.pt', trainer.network)
    state = torch.load(tmp_path / 'run' / 'last.pt', weights_only=True)
    del state['configuration']['crops_on']
    torch.save(state, tmp_path / 'run' / 'last.pt')
    with pytest.raises(ConfigurationError, match='another version'):
        Trainer(configuration, tmp_path / 'run', resume=True)


def test_bad_samples_are_left_out_counted_and_named(configuration, folder, tmp_path, capsys):
    (folder / 'labels' / '3.png').unlink()
    (folder / 'images' / '4.png').write_bytes(b'broken')
    cv2.imwrite(str(folder / 'labels' / '5.png'), np.full((64, 80), 7, np.uint8))
    cv2.imwrite(str(folder / 'labels' / '6.png'), np.zeros((10, 10), np.uint8))
    Trainer(replace(configuration, val=str(folder)), tmp_path / 'run', resume=False).run()
    problems = (tmp_path / 'run' / 'problems.txt').read_text()
    for name in ('labels/3.png is missing', '4.png is not a readable', '5.png has label 7'):
        assert name in problems
    assert '6.png has shape' in problems
    assert '8 samples cannot be used' in capsys.readouterr().out  # 4 of train, 4 of val


def test_a_folder_of_bad_samples_alone_is_refused(configuration, folder, tmp_path):
    for label in (folder / 'labels').iterdir():
        cv2.imwrite(str(label), np.full((64, 80), 9, np.uint8))
    with pytest.raises(DataError, match=r'no usable image.*label 9'):
        Trainer(configuration, tmp_path / 'run', resume=False)


def test_a_run_can_start_from_the_weights_of_another(configuration, tmp_path):
    first = Trainer(replace(configuration, epochs=3), tmp_path / 'one', resume=False)
    best = first.run()
    settings = replace(configuration, start_from=str(best))
    expected = load_checkpoint(best)[0].state_dict()
    again = Trainer(settings, tmp_path / 'two', resume=False).network.state_dict()
    assert all(torch.equal(again[key], value) for key, value in expected.items())
    with pytest.raises(ModelError, match="does not fit 'mavnet'"):
        Trainer(replace(settings, network='mavnet'), tmp_path / 'three', resume=False)


def test_a_batch_without_a_finite_loss_is_left_out(configuration, tmp_path, monkeypatch):
    trainer = Trainer(replace(configuration, epochs=1), tmp_path / 'run', resume=False)
    real, calls = trainer._loss, []

    def sometimes_nan(images, labels):
        calls.append(1)
        return real(images, labels) * (float('nan') if len(calls) == 1 else 1.0)

    monkeypatch.setattr(trainer, '_loss', sometimes_nan)
    trainer.run()
    (row,) = csv.DictReader((tmp_path / 'run' / 'metrics.csv').open())
    assert row['bad_batches'] == '1'
    assert torch.isfinite(weights(trainer)).all()


def test_training_stops_when_val_no_longer_improves(configuration, tmp_path):
    settings = replace(configuration, epochs=40, validate_every=1, patience=2, learning_rate=1e-9)
    trainer = Trainer(settings, tmp_path / 'run', resume=False)
    trainer.run()
    assert trainer.epoch < 40


def test_two_processes_train_one_network(configuration, tmp_path):
    path = tmp_path / 'two.yaml'
    settings = asdict(replace(configuration, name='two', epochs=3))
    path.write_text(yaml.safe_dump({k: list(v) if isinstance(v, tuple) else v
                                    for k, v in settings.items()}))  # fmt: skip
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node=2']
    command += ['-m', 'mav_perception.cli', 'train', str(path), '--runs', str(tmp_path)]
    done = subprocess.run(
        [*command, '--threads', '1'], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = list(csv.DictReader((tmp_path / 'two' / 'metrics.csv').open()))
    assert [row['epoch'] for row in rows] == ['1', '2', '3']  # one process alone writes
    assert done.stdout.count('best target IoU') == 1


def test_a_broken_checkpoint_is_named(tmp_path):
    (tmp_path / 'bad.pt').write_bytes(b'nothing')
    with pytest.raises(ModelError, match='no checkpoint'):
        export_checkpoint(tmp_path / 'bad.pt', tmp_path)


@pytest.mark.parametrize('path', sorted(CONFIGURATIONS.glob('*.yaml')), ids=lambda p: p.stem)
def test_shipped_configurations_are_valid(path):
    settings = load_training_configuration(path)
    assert settings.name == path.stem
    assert settings.network in NETWORKS


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('[1, 2]', 'mapping'),
        ('epoch: 3', "unknown key 'epoch'"),
        ('name: x', 'missing'),
        (GOOD + 'epochs: 2.5', 'epochs.*int'),
        (GOOD + 'zoom: [0.7]', 'zoom'),
        (GOOD + "pasted: '1'", 'pasted.*without quotes'),
        (GOOD + 'width: true', 'width'),
        (GOOD + 'loss: {l1: 1.0}', 'focal, cross_entropy'),
        (GOOD + 'width: 500', 'multiples of 32'),
        (GOOD + 'class_weights: [1.0]', 'class_weights needs 2'),
        (GOOD + 'saturation: 1.5', 'saturation is 1.5: it must be 0 to 1'),
        (GOOD + 'crop: [0, 0]', 'crop is 0'),
        (GOOD + 'learning_rate: .nan', 'learning_rate'),
        (GOOD + 'average: 1.5', 'average'),
        (GOOD + 'window: [-32, -32]', 'window'),
        (GOOD + 'loss: {focal: -1.0}', 'loss'),
        (GOOD + 'class_weights: [-1.0, 1.0]', 'class_weights'),
        (GOOD.replace('x', '../x', 1), 'names files'),
        (GOOD.replace('x', "''", 1), 'names files'),
    ],
)
def test_broken_configurations_name_the_cause(tmp_path, text, word):
    (tmp_path / 'bad.yaml').write_text(text)
    with pytest.raises(ConfigurationError, match=word):
        load_training_configuration(tmp_path / 'bad.yaml')


def test_a_number_that_yaml_takes_for_a_word_is_one(tmp_path):
    (tmp_path / 'good.yaml').write_text(GOOD + 'learning_rate: 4e-3')
    assert load_training_configuration(tmp_path / 'good.yaml').learning_rate == 4e-3


@pytest.fixture
def rooms(tmp_path):
    """Return a folder of images without a target, some with a bright cross."""
    rng = np.random.default_rng(1)
    (tmp_path / 'rooms').mkdir()
    for index in range(6):
        image = rng.integers(0, 90, (48, 64), dtype=np.uint8)
        image[20:24, 10:50] = image[10:40, 28:32] = 240
        cv2.imwrite(str(tmp_path / 'rooms' / f'{index}.png'), image)
    return tmp_path / 'rooms'


def test_backgrounds_take_their_share_and_are_validated_on(configuration, rooms, tmp_path):
    (rooms / 'broken.png').write_bytes(b'broken')
    settings = replace(
        configuration, backgrounds=str(rooms), background_share=0.4, val_backgrounds=str(rooms),
        mine_every=3, hard_crops=0.3, epochs=6,
    )  # fmt: skip
    source = training_source(settings)
    assert len(source) == 8
    assert 'broken.png' in source.problems[-1]
    drawn = [source.picture(i, epoch) for i in range(8) for epoch in range(100)]
    share = np.mean([not len(picture.targets) for picture in drawn])
    assert share == pytest.approx(0.4, abs=0.06)
    assert source.picture(3, 5) is source.picture(3, 5)
    assert len(source.sample(0.5, 0)) == 4
    Trainer(settings, tmp_path / 'run', resume=False).run()
    row = list(csv.DictReader((tmp_path / 'run' / 'metrics.csv').open()))[-1]
    assert 0.0 <= float(row['false_elsewhere']) < 5.0


def test_a_folder_without_backgrounds_is_refused(configuration, tmp_path):
    (tmp_path / 'nothing').mkdir()
    with pytest.raises(DataError, match='no usable image'):
        training_source(replace(configuration, backgrounds=str(tmp_path / 'nothing')))


@pytest.mark.parametrize('batch_size', [3, 64])
def test_workers_change_no_crop_and_no_order(configuration, batch_size):
    settings = replace(configuration, crops_per_image=2, batch_size=batch_size)
    crops = TrainingCrops(training_source(settings), settings)
    alone, beside = (list(EpochBatches(crops, 4, settings, workers)) for workers in (0, 3))
    assert len(alone) == len(beside) == len(EpochBatches(crops, 4, settings, 0))
    for (images, labels), (same_images, same_labels) in zip(alone, beside, strict=True):
        assert torch.equal(images, same_images)
        assert torch.equal(labels, same_labels)


def test_a_model_that_ships_its_checkpoint_is_fine_tuned_by_name(configuration):
    settings = replace(configuration, start_from='drone')
    trainer = Trainer(settings, Path(configuration.train).parent / 'run', resume=False)
    expected = load_checkpoint(find_checkpoint('drone'))[0].state_dict()
    assert all(torch.equal(expected[k], v) for k, v in trainer.network.state_dict().items())
    with pytest.raises(ModelError, match='drone_look'):
        find_checkpoint('nobody')


def test_an_earlier_run_is_not_replaced_unasked(configuration, tmp_path):
    file = tmp_path / 'tiny.yaml'
    short = replace(configuration, epochs=1, validate_every=1)
    file.write_text(yaml.safe_dump({k: v for k, v in asdict(short).items() if v}))
    command = ['train', str(file), '--runs', str(tmp_path / 'runs')]
    assert main(command) == 0
    assert main(command) == 2
    best = (tmp_path / 'runs' / 'tiny' / 'best.pt').read_bytes()
    spoilt = tmp_path / 'spoilt.yaml'
    spoilt.write_text(file.read_text().replace(f'val: {short.val}', 'val: /nowhere'))
    assert main(['train', str(spoilt), *command[2:], '--overwrite']) != 0
    assert (tmp_path / 'runs' / 'tiny' / 'best.pt').read_bytes() == best
    assert main([*command, '--overwrite']) == 0
    assert len(list(tmp_path.rglob('events.out.tfevents.*'))) == 1
