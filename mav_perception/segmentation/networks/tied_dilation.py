"""Our tied-weight network: one block iterated over depth, the same weights at growing dilation.

The tie is that of trellis networks (Bai et al., arXiv 1810.06682): every depth uses one kernel,
and the input is injected again at each depth,
    z_{k+1} = ReLU(z_k + N_k(W * N'_k(V *_{d_k} z_k)) + U * x),   d_k = 1, 2, 4, 8, 1, 2, 4, 8,
with V a depth-wise 3x3 kernel at dilation d_k, W and U point-wise. Only the batch norms N_k belong
to one depth. All of it happens at stride 8, because operations at high resolution cost the time,
not parameters; a skip at stride 4 keeps the outline of small drones, and the logits stay there:
scaling them to the size of the image is the one interpolation that is needed anyway.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from mav_perception.segmentation.networks.layers import convolution, separable
from mav_perception.segmentation.tying import Tie

DILATIONS = (1, 2, 4, 8, 1, 2, 4, 8)


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

    def __init__(self, width: int, dilations: tuple[int, ...] = DILATIONS, tied: bool = True):
        """Build the kernels and, for every depth, its own pair of batch norms."""
        super().__init__()
        self.dilations = dilations
        self.kernels = nn.ModuleList(
            DilationKernels(width) for _ in range(1 if tied else len(dilations))
        )
        self.inner_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in dilations)
        self.outer_norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in dilations)

    def ties(self) -> list[Tie]:
        """Declare the tie over depth."""
        depths = len(self.dilations)
        return [Tie('kernels.0', depths, 'trellis')] if len(self.kernels) < depths else []

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        return self.run(features, self.inject(features), range(len(self.dilations)))

    def inject(self, features: Tensor) -> list[Tensor]:
        """Return U x of (B, C, H, W) features for every set of kernels."""
        return [kernels.inject(features) for kernels in self.kernels]  # type: ignore[operator]

    def run(self, hidden: Tensor, inputs: list[Tensor], depths: range) -> Tensor:
        """Iterate over some of the depths.

        Args:
            hidden: (B, C, H, W) z at the first of them.
            inputs: what `inject` gives, the same at every depth.
            depths: which ones.
        """
        own: list[DilationKernels] = list(self.kernels)  # type: ignore[arg-type]
        for depth in depths:
            dilation, index = self.dilations[depth], min(depth, len(own) - 1)
            kernels = own[index]
            spatial = functional.conv2d(
                hidden,
                kernels.spatial,
                padding=dilation,
                dilation=dilation,
                groups=hidden.shape[1],
            )
            inner = functional.relu(self.inner_norms[depth](spatial))
            update = self.outer_norms[depth](kernels.mix(inner))
            hidden = functional.relu(hidden + update + inputs[index])
        return hidden


class TiedDilationNetwork(nn.Module):
    """The network: (B, channels, H, W) to logits (B, classes, H/4, W/4); multiples of 8."""

    stride = 8

    def __init__(
        self,
        channels: int,
        classes: int,
        width: int = 48,
        dilations: tuple[int, ...] = DILATIONS,
        tied: bool = True,
        light: bool = False,
    ) -> None:
        """Build with torch's default initialisation.

        `tied=False` gives the untied twin; `light` makes the two joining layers depth-wise
        separable, which saves parameters and time.
        """
        layer = separable if light else convolution
        super().__init__()
        skip = 32
        self.stem = nn.Sequential(convolution(channels, 16, 2), convolution(16, skip, 2))
        self.descend = layer(skip, width, 2)
        self.context: nn.Module = DilationBlock(width, dilations, tied)
        self.lift = nn.Conv2d(width, skip, 1)
        self.refine = layer(skip, skip)
        self.classify = nn.Conv2d(skip, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits at a quarter of the input's size."""
        skip = self.stem(image)
        return self.classify(self.decode(skip, self.context(self.descend(skip))))

    def decode(self, skip: Tensor, context: Tensor) -> Tensor:
        """Join the outline at stride 4 with the context at stride 8."""
        # The 1x1 convolution commutes with interpolation; doing it first costs a quarter.
        lifted = functional.interpolate(self.lift(context), scale_factor=2.0, mode='bilinear')
        return self.refine(skip + lifted)
