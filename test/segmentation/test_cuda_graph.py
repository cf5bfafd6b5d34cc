"""A captured graph gives what the network gives; only where there is a GPU."""

import shutil

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='the torch backend needs torch')
if not torch.cuda.is_available():
    pytest.skip('captured graphs need a GPU', allow_module_level=True)

from mav_perception.segmentation.checkpoint import find_checkpoint  # noqa: E402
from mav_perception.segmentation.model_card import find_model  # noqa: E402
from mav_perception.segmentation.segmenter import Segmenter  # noqa: E402


def test_a_captured_graph_gives_the_masks_of_the_cpu(tmp_path):
    path = find_model('sim')
    for file in (path, path.with_suffix('.yaml')):
        shutil.copy(file, tmp_path)
    shutil.copy(find_checkpoint('sim'), tmp_path / 'sim.pt')
    model = str(tmp_path / 'sim.onnx')
    gpu = Segmenter.load(model, backend='torch', device='cuda')
    cpu = Segmenter.load(model, backend='torch', device='cpu')
    rng = np.random.default_rng(0)
    for _ in range(3):  # replayed with another image each time
        coarse = rng.integers(0, 255, (32, 40), dtype=np.uint8)
        image = coarse.repeat(16, axis=0).repeat(16, axis=1)
        ours, theirs = gpu.segment(image), cpu.segment(image)
        assert (ours.labels == theirs.labels).mean() > 0.999
        assert np.abs(ours.confidence.astype(int) - theirs.confidence).mean() < 1.0
