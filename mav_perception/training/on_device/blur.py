"""Blur of a batch, each image with its own kernel."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

RADIUS = 8
"""Pixels: three standard deviations of the strongest blur."""


def gaussian_blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur images (B, C, H, W) by standard deviations (B,) in pixels; the edge is mirrored."""
    step = torch.arange(-RADIUS, RADIUS + 1, device=images.device)
    kernel = torch.exp(-0.5 * (step / sigma[:, None]) ** 2)
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    once = filtered(images, kernel[:, :, None])
    return filtered(once, kernel[:, None, :])


def filtered(images: Tensor, kernels: Tensor) -> Tensor:
    """Correlate each image (B, C, H, W) with its own kernel (B, k, l), odd; mirrored edges."""
    count, channels = images.shape[:2]
    down, right = (n // 2 for n in kernels.shape[1:])
    padded = functional.pad(images, (right, right, down, down), mode='reflect')
    weight = kernels.repeat_interleave(channels, dim=0)[:, None]
    flat = padded.reshape(1, count * channels, *padded.shape[2:])
    return functional.conv2d(flat, weight, groups=count * channels).reshape(images.shape)
