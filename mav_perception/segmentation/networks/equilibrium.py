"""Tied layers taken to the limit: the features are the fixed point of one layer.

    z* = gamma ReLU(sigma(A) S z*) + phi(x),   0 < gamma < 1

Kawaguchi (arXiv 2102.07346) bounds the matrix, not the features: sigma(A) has rows of a sum of at
most one, there by a softmax, here by dividing by the sum of magnitudes, which leaves signs free.
S are depth-wise kernels bounded in the same way. Neither they nor the ReLU can then enlarge a
difference in the maximum norm, so the layer is a contraction of rate gamma: exactly one fixed
point exists, and the error after k iterations is at most gamma^k |z_1 - z_0| / (1 - gamma),
whatever was learned. The number of iterations is a dial between speed and accuracy that needs no
training.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from mav_perception.segmentation.networks.tied_dilation import TiedDilationNetwork
from mav_perception.segmentation.tying import Tie

GAMMA = 0.8
ITERATIONS = 12
"""0.8^12 = 7 %: what is left of the first error at most."""


def bounded(weight: Tensor) -> Tensor:
    """Return a weight whose rows (all but the first dimension) have magnitudes of sum one or less.

    The map x -> W x then never enlarges the maximum norm.
    """
    sums = weight.abs().flatten(1).sum(dim=1).clamp(min=1.0)
    return weight / sums.view(-1, *[1] * (weight.dim() - 1))


class EquilibriumBlock(nn.Module):
    """Fixed point of one multi-dilation layer, differentiated implicitly."""

    def __init__(self, width: int, dilations: tuple[int, ...] = (1, 2, 4, 8)) -> None:
        """Give every dilation its share of the channels."""
        super().__init__()
        self.iterations, self.gamma, self.dilations = ITERATIONS, GAMMA, dilations
        # Near local means of each channel, which carry features far; others fade at once.
        self.spatial = nn.Parameter(1.0 / 9.0 + 0.05 * torch.randn(width, 1, 3, 3))
        mix = torch.eye(width) + 0.02 * torch.randn(width, width)
        self.mix = nn.Parameter(mix[:, :, None, None])
        self.inject = nn.Sequential(nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width))
        self.norm = nn.BatchNorm2d(width)

    def ties(self) -> list[Tie]:
        """Declare the tie of all iterations."""
        return [Tie(name, self.iterations, 'equilibrium') for name in ('spatial', 'mix')]

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        injected = self.inject(features)
        layer = self.layer(injected)
        return features + functional.relu(self.norm(self._solved(layer, injected)))

    def layer(self, injected: Tensor) -> Callable[[Tensor], Tensor]:
        """Return z -> gamma ReLU(sigma(A) S z) + phi(x)."""
        mix = bounded(self.mix)
        groups = len(self.dilations)
        kernels = bounded(self.spatial).chunk(groups)

        def step(hidden: Tensor) -> Tensor:
            spread = [
                functional.conv2d(part, kernel, padding=d, dilation=d, groups=part.shape[1])
                for part, kernel, d in zip(
                    hidden.chunk(groups, dim=1), kernels, self.dilations, strict=True
                )
            ]
            mixed = functional.conv2d(torch.cat(spread, dim=1), mix)
            return self.gamma * functional.relu(mixed) + injected

        return step

    def _solved(self, layer: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
        """Return the fixed point; its gradient g solves g = J^T g + g_out by the same iteration.

        The implicit gradient (Bai et al., arXiv 1909.01377) needs the last step alone, so memory
        does not grow with the iterations.
        """
        if not torch.is_grad_enabled():
            return self._iterate(layer, start)
        with torch.no_grad():
            fixed = self._iterate(layer, start)
        point = fixed.detach().requires_grad_()
        tangent = layer(point)
        result = layer(fixed)

        def implicit(slope: Tensor) -> Tensor:
            def adjoint(g: Tensor) -> Tensor:
                return torch.autograd.grad(tangent, point, g, retain_graph=True)[0] + slope

            return self._iterate(adjoint, slope)

        result.register_hook(implicit)  # type: ignore[no-untyped-call]
        return result

    def _iterate(self, function: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
        for _ in range(self.iterations):
            start = function(start)
        return start


class EquilibriumNetwork(TiedDilationNetwork):
    """The light trunk with the fixed point as its context."""

    def __init__(self, channels: int, classes: int) -> None:
        """Build with as many channels as `tied_light`."""
        super().__init__(channels, classes, width=64, light=True)
        self.context = EquilibriumBlock(64)
