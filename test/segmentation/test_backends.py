"""Every backend gives the logits of ONNX Runtime; what is missing is named."""

import numpy as np
import pytest

from mav_perception.errors import ModelError
from mav_perception.segmentation import backends
from mav_perception.segmentation.model_card import find_model, load_card
from mav_perception.segmentation.segmenter import Segmenter


@pytest.fixture
def tensor():
    card = load_card(find_model('sim'))
    rng = np.random.default_rng(0)
    return rng.normal(size=(1, card.channels, card.height, card.width)).astype(np.float32)


def test_openvino_gives_the_logits_of_onnx_runtime(tensor):
    pytest.importorskip('openvino', reason='needs the `openvino` extra')
    path = find_model('sim')
    card = load_card(path)
    expected = backends.OnnxRuntimeBackend(path, card, 1).infer(tensor)
    exact = backends.OpenVinoBackend(path, card, 1, precision='float32').infer(tensor)
    np.testing.assert_allclose(exact, expected, atol=1e-3)
    fastest = backends.OpenVinoBackend(path, card, 1)
    agree = fastest.infer(tensor).argmax(1) == expected.argmax(1)
    assert agree.mean() > 0.99


def test_torch_gives_the_logits_of_onnx_runtime(tmp_path, tensor):
    torch = pytest.importorskip('torch', reason='needs the `train` extra')
    from dataclasses import asdict

    from mav_perception.segmentation.networks import build_network
    from mav_perception.training.configuration import TrainingConfiguration
    from mav_perception.training.export import export_checkpoint

    settings = TrainingConfiguration(
        'random', 'tied', 'drone', 'a', 'a', 'nothing',
        height=tensor.shape[2], width=tensor.shape[3],
    )  # fmt: skip
    state = {
        'configuration': asdict(settings),
        'network': build_network('tied', 1, 2).state_dict(),
    }
    torch.save(state, tmp_path / 'random.pt')
    card = export_checkpoint(tmp_path / 'random.pt', tmp_path)
    path = tmp_path / 'random.onnx'
    ours = backends.TorchBackend(path, card, 1).infer(tensor)
    np.testing.assert_allclose(
        ours, backends.OnnxRuntimeBackend(path, card, 1).infer(tensor), atol=1e-3
    )
    assert 'PyTorch' in Segmenter.load(str(path), backend='torch').description


def test_auto_takes_what_is_there():
    assert Segmenter.load('sim', backend='auto').description


def test_an_unknown_backend_lists_the_known_ones():
    with pytest.raises(ModelError, match=r'auto, onnxruntime, openvino, torch'):
        Segmenter.load('sim', backend='caffe')


def test_a_device_that_is_not_there_is_an_error_and_no_slow_cpu():
    assert 'CPU' in Segmenter.load('sim', backend='onnxruntime', device='cpu').description
    with pytest.raises(ModelError, match='has no CUDAExecutionProvider, only '):
        Segmenter.load('sim', device='cuda')
    with pytest.raises(ModelError, match="device 'tpu'"):
        Segmenter.load('sim', device='tpu')


def test_openvino_runs_on_no_other_device():
    pytest.importorskip('openvino', reason='needs the `openvino` extra')
    with pytest.raises(ModelError, match=r"cannot run on device 'cuda', only on auto, cpu"):
        Segmenter.load('sim', backend='openvino', device='cuda')


def test_a_backend_that_is_not_installed_names_the_package(monkeypatch):
    monkeypatch.setitem(
        backends.BACKENDS, 'tvm', ('a_module_nobody_has', backends.OnnxRuntimeBackend)
    )
    with pytest.raises(ModelError, match='pip install a_module_nobody_has'):
        Segmenter.load('sim', backend='tvm')
