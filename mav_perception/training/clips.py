"""Short clips out of single images, to train and to judge networks that look at video."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mav_perception.segmentation.labels import UNKNOWN

MAX_STEP = 4
"""Pixels that a clip moves at most between two frames."""

NOISE, LIGHT = 0.15, 0.15
"""Spread of a frame's noise and brightness, in units of the normalised image."""


def drifting_clip(images: Tensor, labels: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Return clips that pan over images with a random step, with noise and light of each frame.

    Args:
        images: (B, C, H, W).
        labels: (B, H, W); what comes into view is labelled unknown.
        frames: T.

    Returns:
        (T, B, C, H, W) images and (T B, H, W) labels in the same order.
    """
    step = torch.randint(-MAX_STEP, MAX_STEP + 1, (2,)).tolist()
    seen, known = [], []
    for index in range(frames):
        rows, columns = (index * s for s in step)
        frame = pan(images, rows, columns)
        light = LIGHT * torch.randn(len(images), 1, 1, 1, device=images.device)
        seen.append(frame + light + NOISE * torch.randn_like(frame))
        known.append(pan(labels[:, None], rows, columns, UNKNOWN)[:, 0])
    return torch.stack(seen), torch.cat(known)


def pan(images: Tensor, rows: int, columns: int, fill: int | None = None) -> Tensor:
    """Return images (B, C, H, W) moved by whole pixels; the edge is repeated, or filled."""
    height, width = images.shape[2:]
    margin = max(abs(rows), abs(columns))
    if margin == 0:
        return images
    if fill is None:
        padded = functional.pad(images.float(), [margin] * 4, mode='replicate').to(images.dtype)
    else:
        padded = functional.pad(images, [margin] * 4, value=fill)
    top, left = margin - rows, margin - columns
    return padded[:, :, top : top + height, left : left + width]
