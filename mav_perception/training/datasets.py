"""Labelled images for training and validation: a folder of real ones, or rendered on the fly."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from mav_perception.errors import DataError
from mav_perception.io.labelled_images import (
    labelled_pairs,
    no_target,
    read_pair,
    targets_are_255,
)
from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.segmentation.preprocessing import Preprocessing
from mav_perception.training.augmentation import LabelledImage, augment, choose
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.copy_paste import CutOut, cut_out_targets
from mav_perception.types import ByteImage, FloatArray


class Source(Protocol):
    """Images with labels, the same for the same index and epoch."""

    cut_outs: list[CutOut]
    problems: list[str]

    def __len__(self) -> int:
        """Return the number of images in an epoch."""
        ...

    def picture(self, index: int, epoch: int) -> LabelledImage:
        """Return one image."""
        ...


class LabelledFolder:
    """Real images in memory at full size; files that cannot be used are named and left out."""

    def __init__(self, folder: Path, preprocessing: Preprocessing, classes: int) -> None:
        """Read all pairs of a folder.

        Raises:
            DataError: the folder holds no pair that can be used, or none shows a target.
        """
        self.pictures: list[LabelledImage] = []
        self.cut_outs: list[CutOut] = []
        self.problems: list[str] = []
        pairs = labelled_pairs(folder, self.problems)
        target_is_255 = targets_are_255(pairs, classes)
        for pair in pairs:
            try:
                image, labels = read_pair(*pair, classes, target_is_255)
            except DataError as error:
                self.problems.append(str(error))
                continue
            image = preprocessing.with_channels(image)
            self.cut_outs += cut_out_targets(image, labels)
            self.pictures.append(LabelledImage.of(image, labels))
        if not self.pictures:
            raise DataError(f'{folder} has no usable image: {self.problems[0]}')
        if not any(len(picture.targets) for picture in self.pictures):
            raise DataError(no_target(folder))

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.pictures)

    def choose(self, index: int, epoch: int) -> int:
        """Return which of `pictures` is image `index` of an epoch; here always the same."""
        return index

    def picture(self, index: int, epoch: int) -> LabelledImage:
        """Return one image."""
        return self.pictures[self.choose(index, epoch)]

    def sample(self, share: float, seed: int) -> LabelledFolder:
        """Return a random share (0..1) of the images, at least one; the same for a seed."""
        count = max(1, round(share * len(self)))
        chosen = np.random.default_rng(seed).permutation(len(self))[:count]
        part = copy(self)
        part.pictures = [self.pictures[index] for index in sorted(chosen)]
        part.cut_outs = []
        return part

    def remember_hard(self, index: int, centres: FloatArray) -> None:
        """Note the (N, 2) centres of false blobs in an image, to crop around them."""
        self.pictures[index] = replace(self.pictures[index], hard=centres)


class RenderedImages:
    """Images with exact masks from the simulator, each epoch with new worlds."""

    def __init__(self, count: int, preprocessing: Preprocessing, seed: int) -> None:
        """Open the renderer; an epoch has `count` images."""
        from mav_perception.simulation.rendering.random_scenes import (
            RandomScenes,  # needs the `sim` extra
        )

        self._count, self._preprocessing, self._seed = count, preprocessing, seed
        # The size of the simulator's cameras, whatever the network scales that to.
        self._imagery = RandomScenes(640, 512)
        self.cut_outs: list[CutOut] = []
        self.problems: list[str] = []

    def __len__(self) -> int:
        """Return the number of images in an epoch."""
        return self._count

    def picture(self, index: int, epoch: int) -> LabelledImage:
        """Render one index of one epoch; the same again for the same seed."""
        image, labels = self._imagery.draw(np.random.default_rng((self._seed, epoch, index)))
        return LabelledImage.of(self._preprocessing.with_channels(image), labels)


class MixedImages:
    """Real images, a share of which gives way to rendered ones, newly drawn every epoch."""

    def __init__(self, real: LabelledFolder, rendered: RenderedImages, share: float, seed: int):
        """Replace a `share` (0..1) of `real` by `rendered`."""
        self._real, self._rendered, self._share, self._seed = real, rendered, share, seed
        self.cut_outs, self.problems = real.cut_outs, real.problems

    def __len__(self) -> int:
        """Return the number of images in an epoch."""
        return len(self._real)

    def picture(self, index: int, epoch: int) -> LabelledImage:
        """Return a real or a rendered image."""
        if np.random.default_rng((self._seed, 2, epoch, index)).random() < self._share:
            return self._rendered.picture(index, epoch)
        return self._real.picture(index, epoch)


class TrainingCrops:
    """Augmented crops as tensors; sample i of epoch e is the same whenever it is asked for."""

    def __init__(self, source: Source, settings: TrainingConfiguration) -> None:
        """Draw crops from a source."""
        self._source, self._settings = source, settings
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of crops in an epoch."""
        return len(self._source) * self._settings.crops_per_image

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a (channels, rows, columns) float crop and its (rows, columns) labels."""
        picture = self._source.picture(index % len(self._source), self.epoch)
        settings, cut_outs = self._settings, self._source.cut_outs
        chosen = choose(picture, settings, len(cut_outs), (settings.seed, 1, self.epoch, index))
        image, labels = augment(picture, chosen, settings, cut_outs)
        tensor = settings.preprocessing.normalise(image)[0]
        return torch.from_numpy(np.ascontiguousarray(tensor)), torch.from_numpy(labels).long()

    def batch(self, crops: list[int]) -> tuple[Tensor, Tensor]:
        """Return several samples as (B, channels, rows, columns) and (B, rows, columns)."""
        images, labels = default_collate([self[index] for index in crops])
        return images, labels


def fitted_pair(
    picture: LabelledImage, preprocessing: Preprocessing
) -> tuple[ByteImage, ByteImage]:
    """Return image and labels at the network's input size; padding is labelled unknown."""
    image = preprocessing.fit(picture.levels[0])
    size = preprocessing.fitted_size(picture.levels[0])
    labels = np.full((preprocessing.height, preprocessing.width), UNKNOWN, np.uint8)
    labels[: size[0], : size[1]] = cv2.resize(
        picture.labels, size[::-1], interpolation=cv2.INTER_NEAREST
    )
    return image, labels


def class_pixels(source: LabelledFolder, classes: int) -> Tensor:
    """Count the pixels of every class in the labelled images."""
    counts = np.zeros(classes, np.int64)
    for picture in source.pictures[: len(source)]:
        known = picture.labels[picture.labels != UNKNOWN]
        counts += np.bincount(known, minlength=classes)[:classes]
    return torch.from_numpy(counts)
