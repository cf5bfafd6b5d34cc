"""Inference backends: what runs the network's weights. ONNX Runtime runs everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from mav_perception.errors import ModelError
from mav_perception.segmentation.model_card import ModelCard


class Backend(Protocol):
    """Anything that maps a (1, C, H, W) float32 tensor to (1, classes, H, W) logits."""

    description: str

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """Run the network once."""
        ...


class OnnxRuntimeBackend:
    """ONNX Runtime on the CPU."""

    def __init__(self, path: Path, card: ModelCard, threads: int) -> None:
        """Load the weights and check their shapes against the card.

        Raises:
            ModelError: the file is no ONNX network or takes another input than the card says.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Idle inference threads must not spin: on a drone the other nodes need those cores.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=['CPUExecutionProvider']
            )
        except Exception as error:  # onnxruntime raises a class per status code
            raise ModelError(
                f'{path} is not a network that ONNX Runtime can load: {error}'
            ) from error
        expected = [1, card.channels, card.height, card.width]
        found = list(self._session.get_inputs()[0].shape)
        if found != expected:
            raise ModelError(
                f'{path} takes input {found}, its card says {expected}: export again.'
            )
        self._input = self._session.get_inputs()[0].name
        self.description = f'ONNX Runtime {onnxruntime.__version__} CPU, {threads} threads'

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """Run the network once."""
        return self._session.run(None, {self._input: tensor})[0]
