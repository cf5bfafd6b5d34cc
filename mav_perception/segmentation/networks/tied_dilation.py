"""Our tied-weight network: one block iterated over depth, the same weights at growing dilation.

The tie is that of trellis networks (Bai et al., arXiv 1810.06682): every depth uses one kernel,
and the input is injected again at each depth,
    z_{k+1} = ReLU(z_k + N_k(W * N'_k(V *_{d_k} z_k)) + U * x),   d_k = 1, 2, 4, 8, 1, 2, 4, 8,
with V a depth-wise 3x3 kernel at dilation d_k, W and U point-wise. Only the batch norms N_k belong
to one depth. All of it happens at stride 8, because operations at high resolution cost the time,
not parameters; a skip at stride 4 keeps the outline of small drones.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return 3x3 convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class TiedDilationBlock(nn.Module):
    """One set of convolution weights, applied once for every dilation in turn."""

    def __init__(self, width: int, dilations: tuple[int, ...]) -> None:
        """Build the shared kernels and, for every depth, its own pair of batch norms."""
        super().__init__()
        self.dilations = dilations
        self.spatial = nn.Parameter(nn.Conv2d(width, width, 3, groups=width).weight.detach())
        self.mix = nn.Conv2d(width, width, 1, bias=False)
        self.inject = nn.Conv2d(width, width, 1, bias=False)
        self.inner_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in dilations)
        self.outer_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in dilations)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        injected = self.inject(features)
        hidden = features
        for dilation, inner, outer in zip(
            self.dilations, self.inner_norms, self.outer_norms, strict=True
        ):
            spatial = functional.conv2d(
                hidden, self.spatial, padding=dilation, dilation=dilation, groups=hidden.shape[1]
            )
            update = outer(self.mix(functional.relu(inner(spatial))))
            hidden = functional.relu(hidden + update + injected)
        return hidden


class TiedDilationNetwork(nn.Module):
    """The network: (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 8."""

    stride = 8

    def __init__(
        self,
        channels: int,
        classes: int,
        width: int = 48,
        dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8),
    ) -> None:
        """Build with torch's default initialisation."""
        super().__init__()
        skip = 32
        self.stem = nn.Sequential(convolution(channels, 16, 2), convolution(16, skip, 2))
        self.descend = convolution(skip, width, 2)
        self.tied = TiedDilationBlock(width, dilations)
        self.lift = nn.Conv2d(width, skip, 1)
        self.refine = convolution(skip, skip)
        self.classify = nn.Conv2d(skip, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits of the input's size."""
        skip = self.stem(image)
        context = self.lift(self.tied(self.descend(skip)))
        context = functional.interpolate(context, scale_factor=2.0, mode='bilinear')
        logits = self.classify(self.refine(skip + context))
        return functional.interpolate(logits, scale_factor=4.0, mode='bilinear')
