"""Images of any sizes in one flat tensor on a device, looked up at fractions of a pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mav_perception.types import ByteImage


@dataclass(frozen=True)
class PixelStore:
    """Images, each at full, half, quarter ... size; one level is enough for labels.

    Attributes:
        values: (P, C) uint8, all pixels of all images row by row.
        begin: (N, L) index of the first pixel of image n at level l.
        size: (N, L, 2) columns and rows.
    """

    values: Tensor
    begin: Tensor
    size: Tensor

    @classmethod
    def of(cls, images: list[tuple[ByteImage, ...]], device: torch.device) -> PixelStore:
        """Put images on a device; each is a tuple of its levels, all of as many."""
        flat = [level for levels in images for level in levels]
        counts = np.array([math.prod(level.shape[:2]) for level in flat])
        begins = counts.cumsum() - counts
        channels = flat[0].size // int(counts[0])
        values = torch.empty((int(counts.sum()), channels), dtype=torch.uint8, device=device)
        for level, begin, count in zip(flat, begins.tolist(), counts.tolist(), strict=True):
            rows = np.ascontiguousarray(level.reshape(count, channels))
            values[begin : begin + count] = torch.from_numpy(rows)
        shape = len(images), len(images[0])
        sizes = np.array([level.shape[1::-1] for level in flat])
        return cls(
            values=values,
            begin=torch.from_numpy(begins.reshape(shape)).to(device),
            size=torch.from_numpy(sizes.reshape(*shape, 2)).to(device),
        )

    def sample(self, image: Tensor, where: Tensor, zoom: Tensor, clamp: bool = False) -> Tensor:
        """Look pixels up between four neighbours, at the level that does not alias.

        Args:
            image: (B,) which images.
            where: (B, rows, columns, 2) full-size pixels (column, row).
            zoom: (B,) output pixels per full-size pixel.
            clamp: whether the edge is repeated beyond the image; else there is black.

        Returns:
            (B, C, rows, columns) float, 0..255.
        """
        level = (torch.log2(1.0 / zoom) - 0.25).round().long().clamp(0, self.begin.shape[1] - 1)
        begin, size = self.begin[image, level], self.size[image, level]
        scale = torch.pow(0.5, level.to(where.dtype))[:, None, None, None]
        at = (where + 0.5) * scale - 0.5
        corner = at.floor()
        (u, v), (x, y) = (at - corner).unbind(-1), corner.long().unbind(-1)
        total = torch.zeros((), device=where.device)
        for right, across in ((0, 1.0 - u), (1, u)):
            for down, along in ((0, 1.0 - v), (1, v)):
                value, inside = self._look(begin, size, x + right, y + down)
                share = across * along if clamp else across * along * inside
                total = total + share[..., None] * value
        return total.permute(0, 3, 1, 2)

    def nearest(self, image: Tensor, where: Tensor, outside: int) -> Tensor:
        """Look up the nearest pixels (B, rows, columns) of images with one channel, as int64."""
        first = torch.zeros_like(image)
        begin, size = self.begin[image, first], self.size[image, first]
        value, inside = self._look(begin, size, *where.round().long().unbind(-1))
        return torch.where(inside, value[..., 0].long(), outside)

    def _look(self, begin: Tensor, size: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the values (B, rows, columns, C) and whether they lie inside the image."""
        columns, rows = size[:, None, None].unbind(-1)
        inside = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
        kept = torch.minimum(x.clamp(min=0), columns - 1)
        index = begin[:, None, None] + torch.minimum(y.clamp(min=0), rows - 1) * columns + kept
        return self.values[index].float(), inside


def send(values: Any, device: torch.device) -> Tensor:
    """Return numbers as a tensor on a device, without waiting for what a GPU still has to do."""
    array = np.asarray(values)
    array = array.astype(np.float32) if array.dtype == np.float64 else array
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type == 'cuda':
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def pixel_grid(crop: tuple[int, int], device: torch.device) -> Tensor:
    """Return (rows, columns, 2) the (column, row) of every pixel of a crop."""
    rows, columns = (torch.arange(n, device=device, dtype=torch.float32) for n in crop)
    v, u = torch.meshgrid(rows, columns, indexing='ij')
    return torch.stack([u, v], dim=-1)
