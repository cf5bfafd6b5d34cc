"""MAVNet (Nguyen et al., arXiv 1904.01795): a micro network of dilated, factorised blocks.

Layers as in the copy that a co-author published: two conv-conv-pool stages (4, 8 features), four
blocks at 8 features with dilation 2, 4, 8, 16, then two bilinear up-samplings. 4,304 parameters
with RGB input and 4 classes, about 480 times fewer than ERFNet. The copy has 20 more in a skip
that it never uses, and ends in a ReLU on the logits, which throws away the sign of the evidence;
we leave out both.
"""

from __future__ import annotations

import math

from torch import Tensor, cat, nn
from torch.nn import functional

from mav_perception.segmentation.networks.layers import NonBottleneck1D


def conv_conv_pool(inputs: int, outputs: int) -> nn.Sequential:
    """Return [3x3 convolution, batch norm, ReLU] twice and a 2x2 max pool."""
    layers: list[nn.Module] = []
    for width in (inputs, outputs):
        layers += [nn.Conv2d(width, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


class DilatedFactorisedBlock(nn.Module):
    """Depth-wise factorised, then full factorised dilated convolutions, fused with the input."""

    def __init__(self, width: int, dilation: int) -> None:
        """Build the block for `width` channels."""
        super().__init__()
        self.local = nn.Sequential(
            nn.Conv2d(width, width, (3, 1), padding=(1, 0), groups=width),
            nn.ReLU(),
            nn.Conv2d(width, width, (1, 3), padding=(0, 1), groups=width),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.context = nn.Sequential(
            nn.Conv2d(width, width, (3, 1), padding=(dilation, 0), dilation=(dilation, 1)),
            nn.ReLU(),
            nn.Conv2d(width, width, (1, 3), padding=(0, dilation), dilation=(1, dilation)),
        )
        self.fuse = nn.Sequential(nn.Conv2d(2 * width, width, 1), nn.BatchNorm2d(width), nn.ReLU())

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        context = self.context(self.local(features))
        return self.fuse(cat([context, features], dim=1))


class Upsample(nn.Module):
    """Bilinear up-sampling by two, 1x1 convolution, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        """Build the layer."""
        super().__init__()
        self.project = nn.Conv2d(inputs, outputs, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, outputs, 2H, 2W)."""
        # The 1x1 convolution commutes with interpolation; doing it first costs a quarter.
        return functional.relu(
            functional.interpolate(self.project(features), scale_factor=2.0, mode='bilinear')
        )


class MavNet(nn.Module):
    """The network: (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 4."""

    stride = 4

    def __init__(self, channels: int, classes: int) -> None:
        """Build with the initialisation N(0, 2 / (k_h k_w C_out)) of the public copy."""
        super().__init__()
        self.encode = nn.Sequential(conv_conv_pool(channels, 4), conv_conv_pool(4, 8))
        self.context = nn.Sequential(*(DilatedFactorisedBlock(8, d) for d in (2, 4, 8, 16)))
        self.decode = nn.Sequential(Upsample(8, 4), NonBottleneck1D(4), Upsample(4, 4))
        self.classify = nn.Conv2d(4, classes, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / fan))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits of the input's size."""
        return self.classify(self.decode(self.context(self.encode(image))))
