"""Lesser twins of a model keep its masks; files that do not fit are named."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip('torch', reason='export needs the `train` extra')
pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

from mav_perception.cli import main  # noqa: E402
from mav_perception.errors import ConfigurationError, ModelError  # noqa: E402
from mav_perception.evaluation.metrics.model_evaluation import measure, rendered_samples  # noqa: E402
from mav_perception.segmentation.model_card import load_card  # noqa: E402
from mav_perception.segmentation.segmenter import Segmenter  # noqa: E402
from mav_perception.training.export import (  # noqa: E402
    export_checkpoint,
    halve,
    load_checkpoint,
    quantise,
    strip_origins,
    write_onnx,
)
from mav_perception.training.trainer import Trainer  # noqa: E402

ORIGINS = (b'Traceback', b'File "', b'site-packages', b'/mav_perception/', b'stack_trace')


def tells_its_origin(path):
    return [word for word in ORIGINS if word in path.read_bytes()]


@pytest.mark.parametrize('path', sorted(Path('models').glob('*.onnx')), ids=lambda path: path.stem)
def test_no_shipped_file_tells_where_it_was_made(path):
    assert tells_its_origin(path) == []


def test_an_exported_file_tells_nothing_of_its_origin_and_computes_the_same(tmp_path):
    import numpy as np
    import onnx
    from onnxruntime import InferenceSession

    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU()).eval()
    path = tmp_path / 'small.onnx'
    write_onnx(network, (1, 16, 20), path)
    assert tells_its_origin(path) == []
    model = onnx.load(path)
    model.graph.node[0].doc_string = 'File "train.py", line 3'
    entry = model.graph.node[0].metadata_props.add()
    entry.key, entry.value = 'stack_trace', 'Traceback'
    onnx.save(model, path)
    assert tells_its_origin(path)
    image = np.random.default_rng(0).random((1, 1, 16, 20), np.float32)
    before = InferenceSession(path).run(None, {'image': image})[0]
    strip_origins(path)
    assert tells_its_origin(path) == []
    np.testing.assert_array_equal(InferenceSession(path).run(None, {'image': image})[0], before)


@pytest.mark.parametrize('kind', ['int8', 'float16'])
def test_a_lesser_twin_loses_under_a_hundredth_of_iou(model_copy, kind):
    samples = list(rendered_samples(60))  # a dozen would say more of chance than of the twin
    training = [image for image, _ in samples[:20]]
    card = quantise(model_copy, training) if kind == 'int8' else halve(model_copy)
    twin = model_copy.with_stem(f'copy_{kind}')
    assert card.name == f'copy_{kind}'
    assert load_card(twin).sha256 != load_card(model_copy).sha256
    assert twin.stat().st_size < model_copy.stat().st_size
    full, less = (measure(Segmenter.load(str(f)), samples[20:]) for f in (model_copy, twin))
    assert full['mean_iou'] - less['mean_iou'] < 0.01


def test_a_look_that_is_not_there_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(ModelError, match='no drone_look in'):
        export_checkpoint(Path('models/checkpoints/drone.pt'), tmp_path, 'drone_look')
    assert list(tmp_path.iterdir()) == []


def test_a_model_takes_another_input_than_that_of_its_training(tmp_path):
    checkpoint = Path('models/checkpoints/drone_look.pt')
    card = export_checkpoint(checkpoint, tmp_path, magnification=2.5, size=(96, 128))
    assert (card.height, card.width, card.look_magnification) == (96, 128, 2.5)
    assert Segmenter.load(str(tmp_path / 'drone_look.onnx')).card == card
    with pytest.raises(ConfigurationError, match='100x128 must be positive multiples'):
        export_checkpoint(checkpoint, tmp_path, size=(100, 128))
    with pytest.raises(ConfigurationError, match='0x0 must be positive multiples'):
        export_checkpoint(checkpoint, tmp_path, size=(0, 0))
    for wrong in (1.0, float('nan'), float('inf')):
        with pytest.raises(ConfigurationError, match='magnify by more than 1'):
            export_checkpoint(checkpoint, tmp_path, magnification=wrong)


def test_a_look_of_other_labels_is_refused(tmp_path):
    for kind in ('onnx', 'yaml'):
        shutil.copy(f'models/penstock.{kind}', tmp_path)
    with pytest.raises(ModelError, match='tells drone apart and its look penstock tells penstock'):
        export_checkpoint(Path('models/checkpoints/drone_look.pt'), tmp_path, 'penstock')


def test_a_checkpoint_of_another_network_is_named(tmp_path):
    from dataclasses import asdict

    from mav_perception.segmentation.networks import build_network
    from mav_perception.training.configuration import TrainingConfiguration

    settings = TrainingConfiguration('x', 'tied', 'drone', 'a', 'a', 'nothing')
    state = {
        'configuration': asdict(settings),
        'network': build_network('mavnet', 1, 2).state_dict(),
    }
    torch.save(state, tmp_path / 'x.pt')
    with pytest.raises(ModelError, match=r"x\.pt does not fit network 'tied'"):
        load_checkpoint(tmp_path / 'x.pt')


def test_twins_of_other_weights_do_not_stay_beside_a_new_export(configuration, tmp_path):
    trainer = Trainer(replace(configuration, epochs=1), tmp_path / 'run', resume=False)
    best, models = trainer.run(), tmp_path / 'models'
    command = ['export', str(best), '--models', str(models)]
    assert main([*command, '--keep-checkpoint']) == 0
    assert (models / 'tiny.pt').is_file()
    for stale in ('tiny_int8.onnx', 'tiny_int8.yaml'):
        (models / stale).write_text('of other weights')
    assert main(command) == 0
    assert sorted(file.name for file in models.iterdir()) == ['tiny.onnx', 'tiny.yaml']
