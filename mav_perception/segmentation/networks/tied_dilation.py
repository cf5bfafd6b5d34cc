"""Our tied-weight network: one block iterated over depth, the same weights at growing dilation.

The tie is that of trellis networks (Bai et al., arXiv 1810.06682): every depth uses one kernel,
and the input is injected again at each depth,
    z_{k+1} = ReLU(z_k + N_k(W * N'_k(V *_{d_k} z_k)) + U * x),   d_k = 1, 2, 4, 8, 1, 2, 4, 8,
with V a depth-wise 3x3 kernel at dilation d_k, W and U point-wise. Only the batch norms N_k belong
to one depth. All of it happens at stride 16, because operations at high resolution cost the time,
not parameters; skips at stride 8 and 4 keep the outline of small drones, and the logits stay at
stride 4: scaling them to the size of the image is the one interpolation that is needed anyway.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from mav_perception.segmentation.networks.layers import convolution, separable


class DilationKernels(nn.Module):
    """The convolution weights V, W and U of one depth, or of all depths where they are tied."""

    def __init__(self, width: int) -> None:
        """Start from torch's default initialisation."""
        super().__init__()
        self.spatial = nn.Parameter(nn.Conv2d(width, width, 3, groups=width).weight.detach())
        self.mix = nn.Conv2d(width, width, 1, bias=False)
        self.inject = nn.Conv2d(width, width, 1, bias=False)


class DilationBlock(nn.Module):
    """Dilated residual updates in turn, all with one set of kernels or each with its own."""

    def __init__(self, width: int, dilations: tuple[int, ...], tied: bool) -> None:
        """Build the kernels and, for every depth, its own pair of batch norms."""
        super().__init__()
        self.dilations = dilations
        self.kernels = nn.ModuleList(
            DilationKernels(width) for _ in range(1 if tied else len(dilations))
        )
        self.inner_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in dilations)
        self.outer_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in dilations)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        injected = [kernels.inject(features) for kernels in self.kernels]
        hidden = features
        for depth, dilation in enumerate(self.dilations):
            own = min(depth, len(self.kernels) - 1)
            kernels = self.kernels[own]
            spatial = functional.conv2d(
                hidden,
                kernels.spatial,  # type: ignore[arg-type]
                padding=dilation,
                dilation=dilation,
                groups=hidden.shape[1],
            )
            inner = functional.relu(self.inner_norms[depth](spatial))
            update = self.outer_norms[depth](kernels.mix(inner))  # type: ignore[operator]
            hidden = functional.relu(hidden + update + injected[own])
        return hidden


class Join(nn.Module):
    """Bring coarse features to a finer skip: 1x1, bilinear x2, add, separable convolution."""

    def __init__(self, coarse: int, fine: int) -> None:
        """Join `coarse` channels to `fine` ones."""
        super().__init__()
        self.lift = nn.Conv2d(coarse, fine, 1)
        self.refine = separable(fine, fine)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """Map (B, coarse, H/2, W/2) and (B, fine, H, W) to (B, fine, H, W)."""
        # The 1x1 convolution commutes with interpolation; doing it first costs a quarter.
        lifted = functional.interpolate(self.lift(coarse), scale_factor=2.0, mode='bilinear')
        return self.refine(skip + lifted)


class TiedDilationNetwork(nn.Module):
    """The network: (B, channels, H, W) to logits (B, classes, H/4, W/4); multiples of 16."""

    stride = 16

    def __init__(
        self,
        channels: int,
        classes: int,
        widths: tuple[int, int, int] = (32, 64, 128),
        dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4, 8),
        tied: bool = True,
    ) -> None:
        """Build with torch's default initialisation; `tied=False` gives the untied twin."""
        super().__init__()
        quarter, eighth, sixteenth = widths
        self.stem = nn.Sequential(convolution(channels, 16, 2), convolution(16, quarter, 2))
        self.descend = separable(quarter, eighth, 2)
        self.descend_again = separable(eighth, sixteenth, 2)
        self.context = DilationBlock(sixteenth, dilations, tied)
        self.join_eighth = Join(sixteenth, eighth)
        self.join_quarter = Join(eighth, quarter)
        self.classify = nn.Conv2d(quarter, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits at a quarter of the input's size."""
        quarter = self.stem(image)
        eighth = self.descend(quarter)
        context = self.context(self.descend_again(eighth))
        return self.classify(self.join_quarter(self.join_eighth(context, eighth), quarter))
