"""What JPEG does to an image: blocks of 8x8 whose cosine coefficients are rounded."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from mav_perception.training.on_device.pixels import send

BLOCK = 8
LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Steps of the coefficients at quality 50 (ITU-T T.81, annex K)."""
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8 for _ in range(4)),
)
GREY = 0.299, 0.587, 0.114
"""Weights of red, green and blue in the luminance."""


def compress(images: Tensor, quality: Tensor) -> Tensor:
    """Return images (B, 1 or 3, H, W), 0..255, after JPEG at qualities (B,) from 1 to 100.

    Colours are kept at half the resolution, as cameras do.
    """
    if images.shape[1] == 1:
        return _rounded(images - 128.0, quality, LUMINANCE) + 128.0
    red, green, blue = images.chunk(3, dim=1)
    light = GREY[0] * red + GREY[1] * green + GREY[2] * blue
    to_blue, to_red = 2.0 * (1.0 - GREY[2]), 2.0 * (1.0 - GREY[0])
    colours = torch.cat([(blue - light) / to_blue, (red - light) / to_red], dim=1)
    coarse = functional.avg_pool2d(colours, 2, ceil_mode=True)
    coarse = _rounded(coarse, quality, CHROMINANCE)
    colours = functional.interpolate(coarse, scale_factor=2.0, mode='bilinear')
    colours = colours[:, :, : images.shape[2], : images.shape[3]]
    light = _rounded(light - 128.0, quality, LUMINANCE) + 128.0
    blue, red = light + to_blue * colours[:, :1], light + to_red * colours[:, 1:]
    green = (light - GREY[0] * red - GREY[2] * blue) / GREY[1]
    return torch.cat([red, green, blue], dim=1)


def _rounded(planes: Tensor, quality: Tensor, table: tuple[tuple[int, ...], ...]) -> Tensor:
    """Round the coefficients of planes (B, C, H, W) around 0 to the steps of a quality."""
    factor = torch.where(quality < 50, 5000.0 / quality, 200.0 - 2.0 * quality) / 100.0
    steps = send(table, planes.device) * factor[:, None, None]
    steps = steps.round().clamp(1.0, 255.0)[:, None, None, None]
    rows, columns = planes.shape[2:]
    padded = functional.pad(planes, (0, -columns % BLOCK, 0, -rows % BLOCK), mode='replicate')
    count, channels, height, width = padded.shape
    shape = count, channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK
    blocks = padded.reshape(shape).transpose(3, 4)
    basis = _cosines(planes.device)
    coefficients = (basis @ blocks @ basis.T / steps).round() * steps
    decoded = (basis.T @ coefficients @ basis).transpose(3, 4)
    return decoded.reshape(padded.shape)[:, :, :rows, :columns]


def _cosines(device: torch.device) -> Tensor:
    """Return the orthonormal (8, 8) matrix of the discrete cosine transform."""
    k = torch.arange(BLOCK, device=device)
    basis = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / (2 * BLOCK)) / 2.0
    basis[0] /= math.sqrt(2.0)
    return basis
