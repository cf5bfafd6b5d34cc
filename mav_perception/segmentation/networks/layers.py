"""Layers that several of the networks are made of."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional


class TrainingOutput(NamedTuple):
    """What a network with more than one head, or with a penalty, returns in training mode.

    Attributes:
        logits: (B, C, h, w) of every head.
        weights: of their losses.
        penalty: scalar that is added.
    """

    logits: tuple[Tensor, ...]
    weights: tuple[float, ...]
    penalty: Tensor


def convolution(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Return convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return depth-wise 3x3, batch norm, ReLU, then point-wise convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        *convolution(inputs, outputs, kernel=1),
    )


class NonBottleneck1D(nn.Module):
    """ERFNet's residual block: 3x1 and 1x3 convolutions, the second pair dilated."""

    def __init__(self, width: int, dilation: int = 1, dropout: float = 0.0) -> None:
        """Build the block for `width` channels."""
        super().__init__()
        layers: list[nn.Module] = []
        for step in (1, dilation):
            layers += [
                nn.Conv2d(width, width, (3, 1), padding=(step, 0), dilation=(step, 1)),
                nn.ReLU(),
                nn.Conv2d(width, width, (1, 3), padding=(0, step), dilation=(1, step)),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
        layers[-1] = nn.Dropout2d(dropout)
        self.residual = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return functional.relu(features + self.residual(features))
