"""Open what a training configuration names: images, backgrounds, the simulator, weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from mav_perception.errors import ConfigurationError, ModelError
from mav_perception.segmentation.checkpoint import find_checkpoint
from mav_perception.segmentation.labels import label_space
from mav_perception.segmentation.networks import build_network
from mav_perception.training.augmentation import LabelledImage
from mav_perception.training.backgrounds import FolderWithBackgrounds, background_images
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.datasets import (
    LabelledFolder,
    MixedImages,
    RenderedImages,
    Source,
    TrainingCrops,
)
from mav_perception.training.export import load_checkpoint
from mav_perception.training.loading import Crops
from mav_perception.training.on_device.crops import DeviceCrops

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


def training_crops(
    source: Source, settings: TrainingConfiguration, device: torch.device
) -> tuple[Crops, int]:
    """Choose what makes crops, and in how many threads beside the training.

    They are made where the network trains if that is a GPU, else by the threads. A renderer lives
    in one thread.

    Raises:
        ConfigurationError: the GPU has too little memory.
    """
    on_device = settings.crops_on == 'device'
    on_device |= settings.crops_on == 'auto' and device.type == 'cuda'
    if not isinstance(source, LabelledFolder):
        return TrainingCrops(source, settings), 0
    if on_device:
        try:
            return DeviceCrops(source, settings, device), 0
        except torch.cuda.OutOfMemoryError as error:
            raise ConfigurationError(
                f'The {len(source)} training images do not fit the memory of the GPU: set '
                'crops_on: cpu.'
            ) from error
    return TrainingCrops(source, settings), settings.workers


def first_network(settings: TrainingConfiguration) -> nn.Module:
    """Return random weights, or those of the checkpoint to start from.

    Raises:
        ModelError: there is no such checkpoint, or it is that of another network.
    """
    classes = label_space(settings.labels).size
    network = build_network(settings.network, settings.channels, classes)
    if settings.start_from:
        earlier, _ = load_checkpoint(find_checkpoint(settings.start_from))
        try:
            network.load_state_dict(earlier.state_dict())
        except RuntimeError as error:
            raise ModelError(
                f'start_from {settings.start_from} does not fit {settings.network!r} with '
                f'{classes} classes: choose a checkpoint of the same network. {error}'
            ) from error
    return network


def _open(where: str, settings: TrainingConfiguration, count: int, seed: int) -> Source:
    """Open a folder of labelled images, or the simulator for 'rendered'."""
    if where == 'rendered':
        return RenderedImages(count, settings.preprocessing, seed)
    return LabelledFolder(Path(where), settings.preprocessing, label_space(settings.labels).size)
