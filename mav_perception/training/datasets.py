"""Labelled images for training and validation: a folder of real ones, or rendered on the fly."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mav_perception.evaluation.measuring import labelled_pairs, read_pair
from mav_perception.segmentation.preprocessing import Preprocessing
from mav_perception.training.augmentation import augment
from mav_perception.types import ByteImage


class LabelledFolder:
    """Real images and labels in memory, at the network's input size, read once."""

    def __init__(self, folder: Path, preprocessing: Preprocessing) -> None:
        """Read all pairs of a folder."""
        self.samples = []
        for pair in labelled_pairs(folder):
            image, labels = read_pair(*pair)
            fitted = preprocessing.fit(image)
            size = fitted.shape[1::-1]
            self.samples.append(
                (fitted, cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST))
            )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.samples)

    def sample(self, index: int, epoch: int) -> tuple[ByteImage, ByteImage]:
        """Return image and labels; the epoch changes nothing."""
        return self.samples[index]  # type: ignore[return-value]


class RenderedImages:
    """Images with exact masks from the simulator, each epoch with new worlds."""

    def __init__(self, count: int, preprocessing: Preprocessing, seed: int) -> None:
        """Open the renderer; an epoch has `count` images."""
        from mav_perception.simulation.imagery import RandomImagery  # needs the `sim` extra

        self._count, self._preprocessing, self._seed = count, preprocessing, seed
        self._imagery = RandomImagery(preprocessing.width, preprocessing.height)

    def __len__(self) -> int:
        """Return the number of images in an epoch."""
        return self._count

    def sample(self, index: int, epoch: int) -> tuple[ByteImage, ByteImage]:
        """Render image and labels of one index of one epoch; the same again for the same seed."""
        image, labels = self._imagery.draw(np.random.default_rng((self._seed, epoch, index)))
        return self._preprocessing.fit(image), labels


Source = LabelledFolder | RenderedImages


class TrainingCrops(Dataset[tuple[Tensor, Tensor]]):
    """Augmented crops as tensors; sample i of epoch e is the same whenever it is asked for."""

    def __init__(
        self, source: Source, preprocessing: Preprocessing, crop: tuple[int, int], seed: int
    ) -> None:
        """Draw crops of (rows, columns) from a source."""
        self._source, self._preprocessing = source, preprocessing
        self._crop, self._seed = crop, seed
        self.epoch = 0

    def __len__(self) -> int:
        """Return the number of crops in an epoch: one an image."""
        return len(self._source)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a (channels, rows, columns) float crop and its (rows, columns) labels."""
        image, labels = self._source.sample(index, self.epoch)
        rng = np.random.default_rng((self._seed, 1, self.epoch, index))
        image, labels = augment(image, labels, self._crop, rng)
        tensor = self._preprocessing.normalise(image)[0]
        return torch.from_numpy(np.ascontiguousarray(tensor)), torch.from_numpy(labels).long()
