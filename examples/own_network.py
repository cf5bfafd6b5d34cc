"""A network of your own with a tie of your own: count, check, export, run.

Example: python examples/own_network.py
"""

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn
from torch.nn import functional

from mav_perception.segmentation.networks import count_parameters
from mav_perception.segmentation.tying import Tie, count_without_ties, reflect, ties_of
from mav_perception.training.export import write_onnx


class Mirror(nn.Module):
    """Down by four and up again; the way up is the way down, reflected and transposed."""

    stride = 4

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, 32, 3, 2, padding=1)
        self.deeper = nn.Conv2d(32, 32, 3, 2, padding=1)
        self.classify = nn.Conv2d(32, classes, 1)

    def ties(self) -> list[Tie]:
        return [Tie('deeper.weight', 2, 'reflection')]

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        outline = functional.relu(self.down(image))
        context = functional.relu(self.deeper(outline))
        up = functional.conv_transpose2d(
            context, reflect(self.deeper.weight, 0), stride=2, padding=1, output_padding=1
        )
        return self.classify(functional.relu(outline + up))


network = Mirror(1, 2).eval()
print(
    f'{count_parameters(network)} parameters, {count_without_ties(network)} without',
    ties_of(network),
)
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / 'mirror.onnx'
    write_onnx(network, (1, 128, 160), path)
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    image = np.random.default_rng(0).normal(size=(1, 1, 128, 160)).astype(np.float32)
    logits = session.run(None, {'image': image})[0]
    same = np.abs(logits - network(torch.from_numpy(image)).detach().numpy()).max()
    print(f'ONNX Runtime gives {logits.shape}, at most {same:.1e} off')
