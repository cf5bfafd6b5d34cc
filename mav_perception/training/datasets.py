"""Labelled images for training and validation: a folder of real ones, or rendered on the fly."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from mav_perception.errors import DataError
from mav_perception.segmentation.preprocessing import Preprocessing
from mav_perception.training.augmentation import augment
from mav_perception.types import ByteImage

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff')


def labelled_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Pair every image in `folder/images` with the PNG of the same stem in `folder/labels`.

    Raises:
        DataError: a folder is missing or empty, or an image has no label.
    """
    images = sorted(p for p in (folder / 'images').glob('*') if p.suffix in IMAGE_SUFFIXES)
    if not images:
        raise DataError(f'No images in {folder / "images"}: give a folder with images/ and labels/.')
    pairs = [(image, folder / 'labels' / f'{image.stem}.png') for image in images]
    missing = [label for _, label in pairs if not label.is_file()]
    if missing:
        raise DataError(f'{len(missing)} images have no label, the first is {missing[0]}.')
    return pairs


def read_image(path: Path) -> ByteImage:
    """Read a file as (H, W) grey or (H, W, 3) RGB uint8, or raise DataError that names it."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise DataError(f'{path} is not a readable image: restore it or take it out.')
    if image.dtype != np.uint8:
        raise DataError(f'{path} has {image.dtype} pixels: convert it to 8 bit.')
    if image.ndim == 3:
        return cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
    return image  # type: ignore[return-value]


class LabelledFolder:
    """Real images and labels in memory, at the network's input size, read once."""

    def __init__(self, folder: Path, preprocessing: Preprocessing) -> None:
        """Read all pairs of a folder."""
        self.samples = []
        for image_path, label_path in labelled_pairs(folder):
            image = read_image(image_path)
            labels = read_image(label_path)
            if labels.shape != image.shape[:2]:
                raise DataError(f'{label_path} has shape {labels.shape}, its image {image.shape}.')
            fitted = preprocessing.fit(image)
            size = fitted.shape[1::-1]
            self.samples.append((fitted, cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)))

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
