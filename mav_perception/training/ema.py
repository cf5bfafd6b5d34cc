"""The average of a network over its training steps, which is what is kept."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn


class MovingAverage:
    """An exponential average that forgets its start: decay (1 + n) / (10 + n) at step n.

    torch's AveragedModel counts the steps in a tensor, and so waits for the GPU in each of them.

    Attributes:
        network: with the averaged weights and statistics.
        steps: taken so far.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        """Begin with the weights of a network as they are, and follow it."""
        self.network = deepcopy(network)
        self._means, self._values = _by_kind(self.network), _by_kind(network)
        self.steps = 0
        self._decay = decay

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the weights after a step."""
        now = min(self._decay, (1.0 + self.steps) / (10.0 + self.steps)) if self.steps else 0.0
        torch._foreach_lerp_(self._means[0], self._values[0], 1.0 - now)
        if self._means[1]:
            torch._foreach_copy_(self._means[1], self._values[1])
        self.steps += 1


def _by_kind(network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    """Return weights and statistics, and the counters of batch norms."""
    tensors = [*network.parameters(), *network.buffers()]
    floating = [tensor for tensor in tensors if tensor.is_floating_point()]
    return floating, [tensor for tensor in tensors if not tensor.is_floating_point()]
