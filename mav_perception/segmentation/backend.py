"""What every backend does: tensors in, logits out, a hidden state from call to call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from mav_perception.errors import ModelError
from mav_perception.segmentation.hidden_state import HiddenState
from mav_perception.segmentation.model_card import ModelCard
from mav_perception.segmentation.network_signature import (
    NetworkSignature,
    check_finite,
    read_signature,
)


class Backend(ABC):
    """Anything that maps a (1, C, H, W) float32 tensor to logits (1, classes, H/k, W/k).

    A network for video carries its hidden state on from call to call.
    """

    description: str

    def __init__(self, card: ModelCard) -> None:
        """Begin with an empty hidden state, if the network has one."""
        self._card = card
        self._signature = NetworkSignature()
        self._state = HiddenState(card.hidden) if card.hidden else None

    def infer(self, tensor: np.ndarray) -> np.ndarray:
        """Run the network once.

        Raises:
            ModelError: it gave something that is no number.
        """
        if self._state is None:
            outputs = self._run(self._signature.to_input(tensor, self._card))
            return self._signature.to_logits(outputs, self._card.label_space.size)
        logits, hidden = self._run({'image': tensor, 'hidden': self._state.before(tensor)})
        check_finite(logits)
        self._state.after(hidden)
        return logits

    def reset(self) -> None:
        """Forget the frames before."""
        if self._state is not None:
            self._state.reset()

    def _understand(self, path: Path, names: list[str], shape: list[object], dtype: str) -> None:
        """Learn from its input, and from one run, how a network is asked and understood."""
        if self._state is None:
            card = self._card
            self._signature = read_signature(path, card, names, shape, dtype, self._run)

    @abstractmethod
    def _run(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Run the network on its named inputs."""


def check_device(who: str, device: str, able: tuple[str, ...]) -> None:
    """Refuse a device that a backend cannot run on.

    Raises:
        ModelError: it is not one of the able ones.
    """
    if device not in able:
        raise ModelError(f'{who} here cannot run on device {device!r}, only on {", ".join(able)}.')
