"""Backgrounds: photographs without a target, so that a network learns what other places look like.

All that a labelled set shows as background may be one hall; in other rooms a network that knows no
other sees targets where there are none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mav_perception.errors import DataError
from mav_perception.io.images import image_files, read_image
from mav_perception.segmentation.preprocessing import Preprocessing
from mav_perception.training.augmentation import LabelledImage
from mav_perception.training.datasets import LabelledFolder


class FolderWithBackgrounds(LabelledFolder):
    """Labelled images, a share of whose crops gives way to backgrounds, newly drawn every epoch.

    Targets are pasted there, and false blobs looked for, as in the labelled images.
    """

    def __init__(
        self,
        labelled: LabelledFolder,
        folder: Path,
        share: float,
        preprocessing: Preprocessing,
        seed: int,
    ) -> None:
        """Add the images of a folder.

        Args:
            labelled: images with targets; an epoch is as long as before.
            folder: images without any.
            share: of the crops that come from there, 0..1.
            preprocessing: of the network.
            seed: of which image gives way to which, and when.

        Raises:
            DataError: the folder has no usable image.
        """
        problems: list[str] = []
        empty = background_images(folder, preprocessing, problems)
        self.pictures = labelled.pictures + empty
        self.cut_outs, self.problems = labelled.cut_outs, labelled.problems + problems
        self._labelled, self._share, self._seed = len(labelled), share, seed

    def __len__(self) -> int:
        """Return the number of labelled images."""
        return self._labelled

    def choose(self, index: int, epoch: int) -> int:
        """Return which of `pictures` it is: a labelled image or a background."""
        rng = np.random.default_rng((self._seed, 3, epoch, index))
        if rng.random() < self._share:
            index = int(rng.integers(self._labelled, len(self.pictures)))
        return index

    def sample(self, share: float, seed: int) -> FolderWithBackgrounds:
        """Return a random share (0..1) of the labelled images, and all backgrounds."""
        part = super().sample(share, seed)
        assert isinstance(part, FolderWithBackgrounds)
        part._labelled = len(part.pictures)
        part.pictures = part.pictures + self.pictures[self._labelled :]
        return part


def background_images(
    folder: Path, preprocessing: Preprocessing, problems: list[str]
) -> list[LabelledImage]:
    """Read the images of a folder as images without a target; `problems` takes what is broken.

    Raises:
        DataError: no image can be used.
    """
    pictures = []
    for file in image_files(folder):
        try:
            image = preprocessing.with_channels(read_image(file))
        except DataError as error:
            problems.append(str(error))
            continue
        pictures.append(LabelledImage.of(image, np.zeros(image.shape[:2], np.uint8)))
    if not pictures:
        raise DataError(f'{folder} has no usable image: give a folder of images without targets.')
    return pictures
