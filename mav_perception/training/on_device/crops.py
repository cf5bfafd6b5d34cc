"""Augmented crops in batches, made where the network trains.

Every choice is that of `training.augmentation`, drawn from the same seeds; only what it does to
pixels is done here, for a batch at once. So crop i of epoch e shows the same as on a CPU, but for
the noise, which is drawn for a whole batch, and what JPEG and scaling round otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import Tensor

from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.training.augmentation import Choices, choose
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.datasets import LabelledFolder
from mav_perception.training.on_device.clutter import ClutterStore
from mav_perception.training.on_device.exposing import expose
from mav_perception.training.on_device.pasting import CutOutStore
from mav_perception.training.on_device.pixels import PixelStore, send
from mav_perception.training.on_device.views import warp_maps

Item = TypeVar('Item')


class DeviceCrops:
    """Crops of labelled images that lie on a device, as `datasets.TrainingCrops` makes them."""

    def __init__(
        self, source: LabelledFolder, settings: TrainingConfiguration, device: torch.device
    ) -> None:
        """Put images, labels, and what is pasted and drawn on a device."""
        self._source, self._settings = source, settings
        self._images = PixelStore.of([p.levels for p in source.pictures], device)
        self._labels = PixelStore.of([(p.labels,) for p in source.pictures], device)
        paste = settings.pasted > 0.0 and source.cut_outs
        self._cut_outs = CutOutStore(source.cut_outs, device) if paste else None
        drawn = settings.clutter > 0.0
        self._clutter = ClutterStore(settings.crop, device, settings.workers) if drawn else None
        self._device = device
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of crops in an epoch."""
        return len(self._source) * self._settings.crops_per_image

    @torch.no_grad()
    def batch(self, crops: list[int]) -> tuple[Tensor, Tensor]:
        """Return crops (B, channels, rows, columns), normalised, and labels (B, rows, columns)."""
        settings, cut_outs = self._settings, len(self._source.cut_outs)
        pictures = [self._source.choose(i % len(self._source), self.epoch) for i in crops]
        chosen = [
            choose(self._source.pictures[k], settings, cut_outs, (settings.seed, 1, self.epoch, i))
            for k, i in zip(pictures, crops, strict=True)
        ]
        images, labels = self._views(pictures, chosen)
        self._paste(images, labels, chosen)
        self._draw(images, labels, chosen)
        below = [k for k, c in enumerate(chosen) if c.upside_down]
        if below:
            at = send(below, self._device)
            images[at], labels[at] = images[at].flip(2), labels[at].flip(1)
        noise = torch.Generator(self._device).manual_seed(chosen[0].exposure.seed)
        images = expose(images, [c.exposure for c in chosen], noise)
        images = self._settings.preprocessing.normalise_batch(images)
        return images.contiguous(memory_format=torch.channels_last), labels

    def _views(self, pictures: list[int], chosen: list[Choices]) -> tuple[Tensor, Tensor]:
        settings = self._settings
        at = send(pictures, self._device)
        zoom = send([c.warp.zoom for c in chosen], self._device)
        warps = [c.warp for c in chosen]
        where = warp_maps(warps, settings.crop, self._labels.size[at, 0], settings.lens_degrees)
        images = self._images.sample(at, where, zoom).round()
        return images, self._labels.nearest(at, where, UNKNOWN)

    def _paste(self, images: Tensor, labels: Tensor, chosen: list[Choices]) -> None:
        for crops, pastings in _in_turn([c.pasted for c in chosen]):
            assert self._cut_outs is not None
            self._cut_outs.paste(images, labels, crops, pastings)

    def _draw(self, images: Tensor, labels: Tensor, chosen: list[Choices]) -> None:
        for crops, seeds in _in_turn([c.clutter for c in chosen]):
            assert self._clutter is not None
            self._clutter.cover(images, labels, crops, seeds)


def _in_turn(wanted: list[tuple[Item, ...]]) -> Iterator[tuple[list[int], list[Item]]]:
    """Yield the crops that want anything with the first of it, then those that want a second."""
    for turn in range(max(map(len, wanted))):
        crops = [k for k, items in enumerate(wanted) if len(items) > turn]
        yield crops, [wanted[k][turn] for k in crops]
