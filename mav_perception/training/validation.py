"""What a network does on whole images: its score on val, and its false blobs on train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mav_perception.detection.blobs import find_detections
from mav_perception.evaluation.metrics.segmentation import MIN_BLOB, SegmentationScore
from mav_perception.segmentation.labels import UNKNOWN, label_space
from mav_perception.segmentation.segmenter import mask_from_logits
from mav_perception.training.augmentation import LabelledImage
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.datasets import LabelledFolder, Source, fitted_pair
from mav_perception.types import ByteImage, FloatArray, LabelMask

EXAMPLES = 6


@dataclass(frozen=True)
class Example:
    """A validation image with its labels and what the network made of it."""

    image: ByteImage
    labels: ByteImage
    guess: ByteImage


@dataclass(frozen=True)
class Validation:
    """Figures of one validation.

    Attributes:
        target_iou: mean IoU of the classes other than the background.
        figures: all figures under the names of the evaluation command.
        examples: a few images across the set.
    """

    target_iou: float
    figures: dict[str, Any]
    examples: list[Example]


@torch.no_grad()
def validate(network: nn.Module, source: Source, settings: TrainingConfiguration) -> Validation:
    """Run a network over every image of a source at its input size."""
    score = SegmentationScore.of_classes(label_space(settings.labels).size)
    shown = set(np.linspace(0, len(source) - 1, EXAMPLES).astype(int).tolist())
    examples = []
    for index in range(len(source)):
        image, labels = fitted_pair(source.picture(index, 0), settings.preprocessing)
        mask = _mask(network, image, settings)
        score.add(mask, labels)
        if index in shown:
            examples.append(Example(image, labels, mask.labels))
    target_iou = float(np.mean(score.iou[1:]))
    figures = {'target_iou': round(target_iou, 4), **score.figures()}
    return Validation(target_iou, figures, examples)


@torch.no_grad()
def mine_false_blobs(
    network: nn.Module, train: LabelledFolder, settings: TrainingConfiguration
) -> int:
    """Note in every training image where the network sees a target that is none; count them."""
    found = 0
    for index, picture in enumerate(train.pictures):
        image, labels = fitted_pair(picture, settings.preprocessing)
        mask = _mask(network, image, settings)
        scale = settings.preprocessing.scale(picture.labels)
        centres = _false_centres(mask, labels) / scale
        train.remember_hard(index, centres)
        found += len(centres)
    return found


@torch.no_grad()
def false_blobs(
    network: nn.Module, backgrounds: list[LabelledImage], settings: TrainingConfiguration
) -> float:
    """Return the mean number of blobs in images without a target."""
    count = 0
    for picture in backgrounds:
        image, labels = fitted_pair(picture, settings.preprocessing)
        count += len(_false_centres(_mask(network, image, settings), labels))
    return round(count / len(backgrounds), 4)


def _false_centres(mask: LabelMask, labels: ByteImage) -> FloatArray:
    centres = []
    for kind in np.unique(mask.labels[mask.labels > 0]):
        for blob in find_detections(mask, int(kind), MIN_BLOB):
            left, top, width, height = blob.box
            under = labels[top : top + height, left : left + width]
            if not ((under == kind) | (under == UNKNOWN)).any():
                centres.append(blob.centroid)
    return np.array(centres).reshape(-1, 2)


def _mask(network: nn.Module, image: ByteImage, settings: TrainingConfiguration) -> LabelMask:
    network.eval()
    device = next(network.parameters()).device
    tensor = torch.from_numpy(settings.preprocessing.normalise(image)).to(device)
    logits = functional.interpolate(network(tensor), size=image.shape[:2], mode='bilinear')
    return mask_from_logits(logits[0].float().cpu().numpy())
