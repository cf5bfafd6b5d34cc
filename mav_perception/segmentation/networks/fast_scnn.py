"""Fast-SCNN (Poudel et al., arXiv 1902.04502): a shared shallow stem, then two branches.

Learning to down-sample (stride 8), a global feature extractor of inverted residuals with pyramid
pooling (stride 32), feature fusion, and a classifier. About 1.1 million parameters.
"""

from __future__ import annotations

from torch import Tensor, cat, nn
from torch.nn import functional

from mav_perception.segmentation.networks.layers import convolution, separable


class InvertedResidual(nn.Module):
    """MobileNetV2's block: expand, depth-wise 3x3, project; plus identity where shapes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int = 6) -> None:
        """Build the block."""
        super().__init__()
        wide = inputs * expansion
        self.residual = nn.Sequential(
            *convolution(inputs, wide, kernel=1),
            nn.Conv2d(wide, wide, 3, stride, padding=1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.identity = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, outputs, H/stride, W/stride)."""
        residual = self.residual(features)
        return features + residual if self.identity else residual


def inverted_stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """Return three inverted residuals; the first changes width and size."""
    return nn.Sequential(
        InvertedResidual(inputs, outputs, stride),
        InvertedResidual(outputs, outputs, 1),
        InvertedResidual(outputs, outputs, 1),
    )


class PyramidPooling(nn.Module):
    """Means over grids of 1, 2, 3 and 6 cells, each reduced, scaled back and joined."""

    def __init__(self, width: int) -> None:
        """Build for `width` channels."""
        super().__init__()
        self.reduce = nn.ModuleList(convolution(width, width // 4, kernel=1) for _ in range(4))
        self.join = convolution(2 * width, width, kernel=1)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        rows, columns = features.shape[2:]
        levels = [features]
        for cells, reduce in zip((1, 2, 3, 6), self.reduce, strict=True):
            # Fixed windows instead of adaptive pooling, which ONNX has not; the last overhangs.
            window = (-(-rows // cells), -(-columns // cells))
            pooled = functional.avg_pool2d(features, window, ceil_mode=True)
            levels.append(
                functional.interpolate(reduce(pooled), size=(rows, columns), mode='bilinear')
            )
        return self.join(cat(levels, dim=1))


class FastScnn(nn.Module):
    """The network: (B, channels, H, W) to logits (B, classes, H/8, W/8); multiples of 32."""

    stride = 32

    def __init__(self, channels: int, classes: int) -> None:
        """Build with torch's default initialisation."""
        super().__init__()
        self.learn_to_downsample = nn.Sequential(
            convolution(channels, 32, 2), separable(32, 48, 2), separable(48, 64, 2)
        )
        self.extract = nn.Sequential(
            inverted_stage(64, 64, 2),
            inverted_stage(64, 96, 2),
            inverted_stage(96, 128, 1),
            PyramidPooling(128),
        )
        self.fine = nn.Sequential(nn.Conv2d(64, 128, 1, bias=False), nn.BatchNorm2d(128))
        self.coarse = nn.Sequential(
            nn.Conv2d(128, 128, 3, padding=4, dilation=4, groups=128, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 128, 1, bias=False),
            nn.BatchNorm2d(128),
        )
        self.classify = nn.Sequential(
            separable(128, 128), separable(128, 128), nn.Dropout(0.1), nn.Conv2d(128, classes, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return logits at an eighth of the input's size."""
        fine = self.learn_to_downsample(image)
        coarse = functional.interpolate(self.extract(fine), scale_factor=4.0, mode='bilinear')
        return self.classify(functional.relu(self.fine(fine) + self.coarse(coarse)))
