"""The average of a network over its training steps, which is what is kept."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Tensors = tuple[Tensor, ...] | list[Tensor]


def moving_average(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Return an exponential average that forgets its start: decay (1 + n) / (10 + n) at first."""

    def update(averaged: Tensors, current: Tensors, count: Tensor | int) -> None:
        now = min(decay, (1.0 + float(count)) / (10.0 + float(count)))
        for mean, value in zip(averaged, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1.0 - now)
            else:  # the batch counter of a batch norm
                mean.copy_(value)

    return update
