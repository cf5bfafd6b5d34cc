"""Measure a model on labelled images, real or rendered."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from mav_perception.evaluation.metrics.segmentation import SegmentationScore
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.types import ByteImage

RENDERED_SEED = 424_242


def rendered_samples(count: int) -> Iterator[tuple[ByteImage, ByteImage]]:
    """Yield images of the embedded simulator that no training has seen, with exact labels."""
    from mav_perception.simulation.rendering.random_scenes import (
        RandomScenes,  # needs the `sim` extra
    )

    imagery = RandomScenes(640, 512)
    return (imagery.draw(np.random.default_rng((RENDERED_SEED, i))) for i in range(count))


def measure(
    segmenter: Segmenter, samples: Iterable[tuple[ByteImage, ByteImage]]
) -> dict[str, Any]:
    """Run a model over labelled images and return the figures of the evaluation command.

    Detections are those of its operating point.
    """
    card = segmenter.card
    score = SegmentationScore.of_classes(card.label_space.size, card.min_score)
    milliseconds = []
    for image, labels in samples:
        begin = time.perf_counter()
        segmenter.reset()  # the images have nothing to do with one another
        mask = segmenter.segment(image)
        milliseconds.append(1e3 * (time.perf_counter() - begin))
        score.add(mask, labels)
    return score.figures() | {
        'ms_per_image': round(float(np.median(milliseconds)), 2),
        'params': segmenter.parameters,
    }
