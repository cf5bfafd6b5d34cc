"""The geometry of `training.warping`, for a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mav_perception.training.on_device.pixels import pixel_grid, send
from mav_perception.training.warping import Warp


def warp_maps(
    warps: Sequence[Warp], crop: tuple[int, int], size: Tensor, lens_degrees: float
) -> Tensor:
    """Return (B, rows, columns, 2) float32: the source pixel of every crop pixel.

    Args:
        warps: B views.
        crop: rows and columns of a crop.
        size: (B, 2) columns and rows of the source images.
        lens_degrees: horizontal field of view of the lens; 0 leaves out the turn.
    """
    device = size.device
    source, place = (_column([getattr(w, n) for w in warps], device) for n in ('source', 'place'))
    middle = send([crop[1] - 1, crop[0] - 1], device) / 2
    linear = send([_linear(warp) for warp in warps], device)
    offset = (pixel_grid(crop, device) - middle) @ linear[:, None]
    if lens_degrees <= 0.0:
        return offset + source
    centre = ((size - 1.0) / 2.0)[:, None, None]
    focal = (size[:, 0] / 2.0 / math.radians(lens_degrees / 2.0))[:, None, None, None]
    turn = _turns(_rays(place, centre, focal), _rays(source, centre, focal))
    rays = _rays(offset + place, centre, focal) @ turn.transpose(1, 2)[:, None]
    return _pixels(rays, centre, focal)


def _column(values: list[np.ndarray], device: torch.device) -> Tensor:
    """Return (B, 1, 1, 2)."""
    return send(np.array(values), device)[:, None, None]


def _linear(warp: Warp) -> list[list[float]]:
    """Return the matrix that takes an offset in the crop, a row vector, to one in the source."""
    cosine, sine = math.cos(warp.angle) / warp.zoom, math.sin(warp.angle) / warp.zoom
    return [[-cosine, -sine] if warp.mirror else [cosine, sine], [-sine, cosine]]


def _rays(pixels: Tensor, centre: Tensor, focal: Tensor) -> Tensor:
    offset = (pixels - centre) / focal
    angle = offset.norm(dim=-1, keepdim=True)
    return torch.cat([offset * torch.sinc(angle / math.pi), angle.cos()], dim=-1)


def _pixels(rays: Tensor, centre: Tensor, focal: Tensor) -> Tensor:
    radius = rays[..., :2].norm(dim=-1, keepdim=True)
    angle = torch.atan2(radius, rays[..., 2:])
    return centre + focal * rays[..., :2] * angle / radius.clamp(min=1e-12)


def _turns(start: Tensor, end: Tensor) -> Tensor:
    """Return (B, 3, 3) the smallest rotations that take rays (B, 1, 1, 3) to others."""
    start, end = start[:, 0, 0], end[:, 0, 0]
    axis = torch.linalg.cross(start, end)
    cross = torch.zeros(len(axis), 3, 3, device=axis.device)
    for row, column, index, sign in ((0, 1, 2, -1), (0, 2, 1, 1), (1, 2, 0, -1)):
        cross[:, row, column] = sign * axis[:, index]
        cross[:, column, row] = -sign * axis[:, index]
    cosine = (start * end).sum(-1)[:, None, None]
    return torch.eye(3, device=axis.device) + cross + cross @ cross / (1.0 + cosine)
