"""The clutter of `training.distractors` on a device: drawn once, then laid over batches."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mav_perception.training.distractors import VARIETY, draw_clutter
from mav_perception.training.on_device.pixels import send
from mav_perception.types import ByteImage


class ClutterStore:
    """What all seeds draw, on a device."""

    def __init__(self, crop: tuple[int, int], device: torch.device, workers: int) -> None:
        """Draw it for a size of crops."""
        with ThreadPoolExecutor(max(1, workers)) as pool:
            drawn = list(pool.map(partial(_draw_bytes, crop), range(VARIETY)))
        layers, mirrored, darkness = zip(*drawn, strict=True)
        self._layers = torch.from_numpy(np.stack(layers)).to(device)
        self._mirrored, self._darkness = send(mirrored, device), send(darkness, device)

    def cover(
        self, images: Tensor, labels: Tensor, crops: Sequence[int], seeds: Sequence[int]
    ) -> None:
        """Lay clutter over some of the crops, in place.

        Args:
            images: (B, C, rows, columns) float, 0..255.
            labels: (B, rows, columns).
            crops: n of the B crops, each once.
            seeds: n.
        """
        device = images.device
        at, seed = send(crops, device), send(seeds, device)
        below, known = images[at], labels[at]
        drawn, opacity = self._layers[seed].float()[:, None].unbind(2)
        opacity = opacity / 255.0
        way = self._mirrored[seed][:, None, None]
        elsewhere = torch.where(way[:, None] == 0, below.flip(2), below.flip(3))
        there = torch.where(way == 0, known.flip(1), known.flip(2))
        inside = opacity[:, 0] > 0.5
        copied = (way >= 0).flatten()
        # A piece with a target in it would teach that targets are background.
        dropped = copied & (inside & (there != 0)).flatten(1).any(dim=1)
        filled = elsewhere * self._darkness[seed][:, None, None, None] * opacity
        added = torch.where(copied[:, None, None, None], filled, drawn)
        opacity = opacity * ~dropped[:, None, None, None]
        mixed = below * (1.0 - opacity) + added * ~dropped[:, None, None, None]
        images[at] = mixed.clamp(0.0, 255.0).floor()
        labels[at] = torch.where(inside & ~dropped[:, None, None], 0, known)


def _draw_bytes(crop: tuple[int, int], seed: int) -> tuple[ByteImage, int, float]:
    """Return (2, rows, columns) brightness and opacity in bytes, and what is mirrored how dark.

    All seeds as floats would take gigabytes.
    """
    drawn = draw_clutter(crop, seed)
    layers = np.stack([drawn.brightness, np.round(255.0 * drawn.opacity)])
    return np.clip(layers, 0, 255).astype(np.uint8), drawn.mirrored, drawn.darkness
