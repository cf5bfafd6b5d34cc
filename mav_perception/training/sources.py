"""Open what a training configuration names: folders of images, backgrounds, or the simulator."""

from __future__ import annotations

from pathlib import Path

from mav_perception.segmentation.labels import label_space
from mav_perception.training.augmentation import LabelledImage
from mav_perception.training.backgrounds import FolderWithBackgrounds, background_images
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.datasets import (
    LabelledFolder,
    MixedImages,
    RenderedImages,
    Source,
)

VALIDATION_SEED = 987_654
VALIDATION_IMAGES = 120


def training_source(settings: TrainingConfiguration) -> Source:
    """Open what a configuration trains on, mixed if it says so.

    Raises:
        DataError: a folder has no usable image.
    """
    source = _open(settings.train, settings, settings.rendered_images, settings.seed)
    if not isinstance(source, LabelledFolder):
        return source
    if settings.backgrounds:
        source = FolderWithBackgrounds(
            source,
            Path(settings.backgrounds),
            settings.background_share,
            settings.preprocessing,
            settings.seed,
        )
    if settings.rendered_share > 0.0:
        rendered = RenderedImages(len(source), settings.preprocessing, settings.seed)
        return MixedImages(source, rendered, settings.rendered_share, settings.seed)
    return source


def validation_source(settings: TrainingConfiguration) -> Source:
    """Open what a configuration chooses the best epoch on."""
    return _open(settings.val, settings, VALIDATION_IMAGES, VALIDATION_SEED)


def validation_backgrounds(
    settings: TrainingConfiguration, problems: list[str]
) -> list[LabelledImage]:
    """Read the images without a target on which false blobs are counted, none if not given.

    `problems` takes a line for every one that cannot be used.
    """
    if not settings.val_backgrounds:
        return []
    return background_images(Path(settings.val_backgrounds), settings.preprocessing, problems)


def _open(where: str, settings: TrainingConfiguration, count: int, seed: int) -> Source:
    """Open a folder of labelled images, or the simulator for 'rendered'."""
    if where == 'rendered':
        return RenderedImages(count, settings.preprocessing, seed)
    return LabelledFolder(Path(where), settings.preprocessing, label_space(settings.labels).size)
