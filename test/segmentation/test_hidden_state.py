"""Networks for video, exported and run as on a drone: remember, and forget at a cut."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip('onnx', reason='export needs the `train` extra')
torch = pytest.importorskip('torch', reason='training needs the `train` extra')

from onnx import numpy_helper  # noqa: E402

from mav_perception.errors import ModelError  # noqa: E402
from mav_perception.segmentation.hidden_state import HiddenState  # noqa: E402
from mav_perception.segmentation.model_card import file_hash, load_card  # noqa: E402
from mav_perception.segmentation.networks import build_network  # noqa: E402
from mav_perception.segmentation.segmenter import Segmenter  # noqa: E402
from mav_perception.training.configuration import TrainingConfiguration  # noqa: E402
from mav_perception.training.export import export_checkpoint  # noqa: E402


@pytest.fixture(scope='module')
def model(tmp_path_factory):
    """Export random weights that do remember."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp('video')
    settings = TrainingConfiguration(
        'video', 'streaming', 'drone', 'none', 'none', 'none', height=128, width=160
    )
    network = build_network('streaming', 1, 2)
    torch.nn.init.normal_(network.recall.weight, std=2.0)
    state = {'configuration': asdict(settings), 'network': network.state_dict()}
    torch.save(state, folder / 'video.pt')
    card = export_checkpoint(folder / 'video.pt', folder)
    assert card.hidden == (64, 16, 20)
    return str(folder / 'video.onnx')


@pytest.mark.parametrize('backend', ['onnxruntime', 'openvino', 'torch'])
def test_a_frame_is_seen_in_the_light_of_the_one_before(model, backend):
    if backend == 'openvino':
        pytest.importorskip('openvino', reason='OpenVINO is an extra')
    segmenter = Segmenter.load(model, 1, backend)
    rng = np.random.default_rng(0)
    first, second = (rng.integers(90, 110, (128, 160), dtype=np.uint8) for _ in range(2))
    alone = segmenter.logits(second)
    segmenter.reset()
    segmenter.logits(first)
    after = segmenter.logits(second)
    assert np.abs(after - alone).max() > 0.05
    segmenter.reset()
    np.testing.assert_allclose(segmenter.logits(second), alone, atol=1e-4)


def test_the_exported_network_remembers_what_torch_does(model):
    rng = np.random.default_rng(1)
    frames = [rng.integers(90, 110, (128, 160), dtype=np.uint8) for _ in range(3)]
    ours, theirs = (Segmenter.load(model, 1, name) for name in ('onnxruntime', 'torch'))
    for frame in frames:
        np.testing.assert_allclose(ours.logits(frame), theirs.logits(frame), atol=1e-3)


def test_scores_that_are_no_numbers_are_refused_and_no_background(model, tmp_path):
    broken = onnx.load(model)
    weight = next(w for w in broken.graph.initializer if len(w.dims) == 4)
    weight.CopyFrom(numpy_helper.from_array(np.full(weight.dims, np.nan, np.float32), weight.name))
    onnx.save(broken, tmp_path / 'video.onnx')
    card = replace(load_card(Path(model)), sha256=file_hash(tmp_path / 'video.onnx'))
    card.save(tmp_path / 'video.yaml')
    with pytest.raises(ModelError, match='NaN'):
        Segmenter.load(str(tmp_path / 'video.onnx'), 1, 'onnxruntime')


def test_a_cut_and_a_broken_state_are_forgotten():
    state = HiddenState((2, 3, 4))
    frame = np.zeros((1, 1, 64, 80), np.float32)
    state.before(frame)
    state.after(np.ones((1, 2, 3, 4), np.float32))
    assert state.before(frame + 0.3).all()  # the light changed a little
    assert not state.before(frame + 2.0).any()  # another scene
    assert state.resets == 1
    state.after(np.full((1, 2, 3, 4), np.nan, np.float32))
    assert state.resets == 2
    assert not state.before(frame + 2.0).any()
