"""The average of a network over its training steps, which is what is kept."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


class MovingAverage:
    """An exponential average that forgets its start: decay (1 + n) / (10 + n) at first.

    The number of steps is counted here: to ask a GPU for torch's own count would wait for it.
    """

    def __init__(self, decay: float, steps: int = 0) -> None:
        """Begin after a number of steps."""
        self._decay, self.steps = decay, steps

    def __call__(self, averaged: Tensors, current: Tensors, _: Tensor | int) -> None:
        """Move averages, in place, towards the current values."""
        if averaged[0].is_floating_point():
            now = min(self._decay, (1.0 + self.steps) / (10.0 + self.steps))
            update: Callable[..., None] = get_ema_multi_avg_fn(now)  # type: ignore[no-untyped-call]
            update(averaged, current, self.steps)
        else:  # the batch counters of batch norms
            torch._foreach_copy_(list(averaged), list(current))
