"""PyTorch runs the checkpoint itself; on a GPU as one captured graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mav_perception.segmentation.backend import Backend, check_device
from mav_perception.segmentation.model_card import ModelCard


class TorchBackend(Backend):
    """PyTorch, on the GPU if there is one; it runs the checkpoint that lies beside the weights."""

    def __init__(self, path: Path, card: ModelCard, threads: int, device: str = 'auto') -> None:
        """Load `NAME.pt`, which `export` puts beside `NAME.onnx` with --keep-checkpoint."""
        import torch

        from mav_perception.segmentation.checkpoint import load_network

        super().__init__(card)
        cuda = torch.cuda.is_available()
        check_device('torch', device, ('auto', 'cpu', 'cuda') if cuda else ('auto', 'cpu'))
        torch.set_num_threads(threads)
        self._device = 'cuda' if cuda and device != 'cpu' else 'cpu'
        network, _ = load_network(path.with_suffix('.pt'))
        self._network = network.to(self._device).eval()
        self._step: Callable[..., list[Any]] | None = None
        self.description = f'PyTorch {torch.__version__} {self._device}, {threads} threads'

    def _run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        import torch

        tensors = [torch.from_numpy(value) for value in inputs.values()]
        with torch.inference_mode():
            if self._step is None:
                from mav_perception.segmentation.cuda_graph import capture

                captured = self._device == 'cuda'
                self._step = capture(self._plain, tensors) if captured else self._plain
            return [output.cpu().numpy() for output in self._step(*tensors)]

    def _plain(self, *tensors: Any) -> list[Any]:
        """Run an image, or an image and the hidden state of a network for video."""
        if len(tensors) > 1:
            return list(self._network.step(*tensors))  # type: ignore[operator]
        return [self._network(*tensors)]
