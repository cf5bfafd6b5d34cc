"""The lens and the sensor of `training.exposure`, for a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from mav_perception.training.exposure import Exposure
from mav_perception.training.on_device.blur import RADIUS, filtered, gaussian_blur
from mav_perception.training.on_device.jpeg import GREY, compress
from mav_perception.training.on_device.pixels import send
from mav_perception.types import FloatArray

Change = Callable[[Tensor, Tensor], Tensor]
"""Maps images and a strength each to images."""


def expose(images: Tensor, chosen: Sequence[Exposure], generator: torch.Generator) -> Tensor:
    """Return images (B, C, H, W), 0..255, as the chosen lenses and sensors see them.

    Args:
        images: float.
        chosen: B.
        generator: of the noise, on the device of the images.
    """
    images = _lit(images, chosen)
    _change(images, [c.saturation for c in chosen], 1.0, _saturated)
    _change(images, [c.blur for c in chosen], 0.0, gaussian_blur)
    moved = [k for k, c in enumerate(chosen) if c.motion is not None]
    if moved:
        kernels = np.stack([_padded(chosen[k].motion) for k in moved])
        at = send(moved, images.device)
        images[at] = filtered(images[at], send(kernels, images.device)).round()
    _cover(images, chosen)

    def noisy(part: Tensor, strength: Tensor) -> Tensor:
        noise = torch.randn(part.shape, generator=generator, device=part.device)
        return part + noise * strength[:, None, None, None]

    _change(images, [c.noise for c in chosen], 0.0, noisy)
    _change(images, [float(c.quality) for c in chosen], 0.0, compress)
    return images


def _change(images: Tensor, strengths: list[float], none: float, change: Change) -> None:
    """Change, in place, the images whose strength is not `none`, in whole grey levels."""
    at = [k for k, strength in enumerate(strengths) if strength != none]
    if at:
        index = send(at, images.device)
        strength = send([strengths[k] for k in at], images.device)
        images[index] = change(images[index], strength).round().clamp(0.0, 255.0)


def _lit(images: Tensor, chosen: Sequence[Exposure]) -> Tensor:
    """Apply gamma, gain and offset."""
    device = images.device
    gamma, offset = (
        send([getattr(c, n) for c in chosen], device)[:, None, None, None]
        for n in ('gamma', 'offset')
    )
    gains = send([c.gains for c in chosen], device)
    curve = (images / 255.0) ** gamma * gains[:, :, None, None] + offset
    return (curve.clamp(0.0, 1.0) * 255.0).floor()


def _saturated(images: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance of RGB images from grey."""
    red, green, blue = images.chunk(3, dim=1)
    grey = GREY[0] * red + GREY[1] * green + GREY[2] * blue
    return grey + factor[:, None, None, None] * (images - grey)


def _padded(kernel: FloatArray | None) -> FloatArray:
    """Return a kernel in the middle of the largest one; as in OpenCV, even ones lean left."""
    assert kernel is not None
    side = 2 * RADIUS + 1
    before = RADIUS - len(kernel) // 2
    after = side - before - len(kernel)
    return np.pad(kernel, (before, after)).astype(np.float32)


def _cover(images: Tensor, chosen: Sequence[Exposure]) -> None:
    """Hide what is under the blocks on a lens, in place."""
    covers = [(k, c.cover) for k, c in enumerate(chosen) if c.cover is not None]
    if covers:
        at = send([k for k, _ in covers], images.device)
        hidden = send(np.stack([cover.hidden for _, cover in covers]), images.device)
        level = send([float(cover.level) for _, cover in covers], images.device)
        covered = level[:, None, None, None].expand_as(images[at])
        images[at] = torch.where(hidden[:, None], covered, images[at])
