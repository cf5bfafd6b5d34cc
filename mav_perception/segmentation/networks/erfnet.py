"""ERFNet (Romera et al., IEEE T-ITS 2018): factorised residual blocks, the root of MAVNet.

Encoder: down-samplers to 16, 64 and 128 features with five plain and eight dilated non-bottleneck
blocks; decoder: transposed convolutions with two blocks each. About 2.06 million parameters.
"""

from __future__ import annotations

from torch import Tensor, cat, nn
from torch.nn import functional

from mav_perception.segmentation.networks.layers import NonBottleneck1D


class DownSampler(nn.Module):
    """3x3 convolution with stride 2 and 2x2 max pool, side by side, then batch norm and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Build the layer."""
        super().__init__()
        self.convolve = nn.Conv2d(inputs, outputs - inputs, 3, 2, padding=1)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, outputs, H/2, W/2)."""
        pooled = functional.max_pool2d(features, 2)
        return functional.relu(self.norm(cat([self.convolve(features), pooled], dim=1)))


def up_sampler(inputs: int, outputs: int) -> nn.Sequential:
    """Return 3x3 transposed convolution with stride 2, batch norm, ReLU."""
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class ErfNet(nn.Module):
    """The network: (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 8."""

    stride = 8

    def __init__(self, channels: int, classes: int) -> None:
        """Build with torch's default initialisation."""
        super().__init__()
        dilated = [NonBottleneck1D(128, d, 0.3) for d in (2, 4, 8, 16, 2, 4, 8, 16)]
        self.encode = nn.Sequential(
            DownSampler(channels, 16),
            DownSampler(16, 64),
            *(NonBottleneck1D(64, 1, 0.03) for _ in range(5)),
            DownSampler(64, 128),
            *dilated,
        )
        self.decode = nn.Sequential(
            up_sampler(128, 64),
            NonBottleneck1D(64),
            NonBottleneck1D(64),
            up_sampler(64, 16),
            NonBottleneck1D(16),
            NonBottleneck1D(16),
            nn.ConvTranspose2d(16, classes, 2, 2),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits of the input's size."""
        return self.decode(self.encode(image))
