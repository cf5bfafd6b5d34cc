"""A simplified U-Net, as for penstock inspection (Nguyen et al., arXiv 1809.06576).

The paper's layer and filter counts are not public; this is the U-Net of Ronneberger et al. with
one pooling and three quarters of the features less, and padded convolutions: 16, 32, 64 and 128
features, 482 thousand parameters.
"""

from __future__ import annotations

from torch import Tensor, cat, nn
from torch.nn import functional

from mav_perception.segmentation.networks.layers import convolution

WIDTHS = (16, 32, 64, 128)


def double_convolution(inputs: int, outputs: int) -> nn.Sequential:
    """Return [3x3 convolution, batch norm, ReLU] twice."""
    return nn.Sequential(convolution(inputs, outputs), convolution(outputs, outputs))


class UNet(nn.Module):
    """The network: (B, channels, H, W) to logits (B, classes, H, W); H and W multiples of 8."""

    stride = 8

    def __init__(self, channels: int, classes: int) -> None:
        """Build with torch's default initialisation."""
        super().__init__()
        inputs = (channels, *WIDTHS[:-1])
        self.down = nn.ModuleList(map(double_convolution, inputs, WIDTHS))
        wide, narrow = WIDTHS[:0:-1], WIDTHS[-2::-1]
        self.raise_ = nn.ModuleList(
            nn.ConvTranspose2d(w, n, 2, 2) for w, n in zip(wide, narrow, strict=True)
        )
        self.up = nn.ModuleList(double_convolution(2 * n, n) for n in narrow)
        self.classify = nn.Conv2d(WIDTHS[0], classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits of the input's size."""
        skips: list[Tensor] = []
        features = image
        for stage in self.down:
            features = stage(features if not skips else functional.max_pool2d(features, 2))
            skips.append(features)
        for lift, stage, skip in zip(self.raise_, self.up, skips[-2::-1], strict=True):
            features = stage(cat([skip, lift(features)], dim=1))
        return self.classify(features)
