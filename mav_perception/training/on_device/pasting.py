"""Copy-paste augmentation of `training.copy_paste`, for a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mav_perception.training.copy_paste import SMALLEST, CutOut, Pasting
from mav_perception.training.on_device.blur import gaussian_blur
from mav_perception.training.on_device.pixels import PixelStore, pixel_grid, send
from mav_perception.training.warping import pyramid


class CutOutStore:
    """All cut-outs on a device."""

    def __init__(self, cut_outs: list[CutOut], device: torch.device) -> None:
        """Put them there."""
        self._cut_outs = cut_outs
        largest = max(max(c.labels.shape) for c in cut_outs)
        # Down to where the largest is pasted the smallest, so that none aliases.
        levels = 1 + max(0, math.ceil(math.log2(largest / SMALLEST)))
        self._images = PixelStore.of([pyramid(c.image, levels) for c in cut_outs], device)
        self._labels = PixelStore.of([(c.labels,) for c in cut_outs], device)

    def paste(
        self, images: Tensor, labels: Tensor, crops: Sequence[int], pastings: Sequence[Pasting]
    ) -> None:
        """Put one cut-out into each of some crops, in place.

        Args:
            images: (B, C, rows, columns) float, 0..255.
            labels: (B, rows, columns).
            crops: n of the B crops, each once.
            pastings: n.
        """
        device, (rows, columns) = images.device, labels.shape[1:]
        sides = np.array([p.size(self._cut_outs[p.index]) for p in pastings])
        fits = np.flatnonzero((sides < (rows, columns)).all(axis=1)).tolist()
        if not fits:
            return
        chosen, sides = [pastings[k] for k in fits], sides[fits]
        at = send([crops[k] for k in fits], device)
        free = np.array([rows, columns]) - sides
        corner = (free * [p.place for p in chosen]).astype(int)
        other = (free * [p.elsewhere for p in chosen]).astype(int)
        grid = pixel_grid((rows, columns), device)
        patch, kind, inside = self._patches(chosen, sides, corner, grid)
        decoy = send([p.decoy for p in chosen], device)
        below, known = images[at], labels[at]
        shifted, there = _shifted(below, known, other - corner)
        # A decoy that would be filled with a target is left out.
        clean = ~((there != 0) & inside).flatten(1).any(dim=1)
        patch = torch.where(decoy[:, None, None, None], shifted, patch)
        soft = send([p.softness for p in chosen], device)
        alpha = gaussian_blur((kind > 0).float()[:, None], soft) * inside[:, None]
        alpha = alpha * (clean | ~decoy)[:, None, None, None]
        gain = send([p.gain for p in chosen], device)[:, None, None, None]
        images[at] = (below + alpha * (gain * patch - below)).clamp(0.0, 255.0).floor()
        drawn = (kind > 0) & (clean | ~decoy)[:, None, None]
        labels[at] = torch.where(drawn, kind * ~decoy[:, None, None], known)

    def _patches(
        self,
        chosen: Sequence[Pasting],
        sides: np.ndarray,
        corner: np.ndarray,
        grid: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return pixels, class ids and the window of cut-outs where they land in the crop."""
        device = grid.device
        index = send([p.index for p in chosen], device)
        side = send(sides[:, ::-1], device).float()[:, None, None]
        begin = send(corner[:, ::-1], device).float()[:, None, None]
        within = grid - begin
        inside = ((within >= 0) & (within < side)).all(dim=-1)
        # cv2.getRotationMatrix2D turns counter-clockwise about the middle; here is the way back.
        angle = send(np.radians([p.degrees for p in chosen]), device)
        turn = torch.stack([angle.cos(), angle.sin(), -angle.sin(), angle.cos()], dim=-1)
        spot = (within - side / 2) @ turn.reshape(-1, 1, 2, 2) + side / 2
        mirror = send([p.mirror for p in chosen], device)[:, None, None]
        column = torch.where(mirror, side[..., 0] - 1 - spot[..., 0], spot[..., 0])
        spot = torch.stack([column, spot[..., 1]], dim=-1)
        full = self._labels.size[index, 0][:, None, None]
        where = (spot + 0.5) * full / side - 0.5
        zoom = (side / full).amin(dim=-1)[:, 0, 0]
        patch = self._images.sample(index, where, zoom, clamp=True)
        kind = self._labels.nearest(index, where, 0) * inside
        return patch, kind, inside


def _shifted(images: Tensor, labels: Tensor, by: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return crops looked up (rows, columns) further on; beyond their end they begin again."""
    rows, columns = labels.shape[1:]
    step = send(by, images.device)
    row = (torch.arange(rows, device=images.device) + step[:, :1]) % rows
    column = (torch.arange(columns, device=images.device) + step[:, 1:]) % columns
    each = torch.arange(len(images), device=images.device)[:, None, None]
    at = each, row[:, :, None], column[:, None, :]
    return images.permute(0, 2, 3, 1)[at].permute(0, 3, 1, 2), labels[at]
