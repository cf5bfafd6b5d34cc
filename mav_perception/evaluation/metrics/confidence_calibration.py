"""Is the confidence true? Reliability curve, expected calibration error, and the temperature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from mav_perception.errors import DataError
from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.types import ByteImage, FloatArray

BINS = 10
PIXELS_PER_IMAGE = 20_000
UNDECIDED = 0.01
"""Pixels whose target probability lies under this count for nothing: they are nearly all pixels,
nearly all right, and would make any network look calibrated."""


@dataclass(frozen=True)
class PixelSample:
    """A seeded sample of labelled pixels of a data set.

    Attributes:
        logits: (N, C) class scores, before any temperature.
        labels: (N,) class ids.
    """

    logits: FloatArray
    labels: np.ndarray


@dataclass(frozen=True)
class Reliability:
    """How often pixels of a stated target probability are targets.

    Attributes:
        stated: (B,) mean probability in each bin; NaN in an empty one.
        true: (B,) share of them that are of that class.
        count: (B,) pixels.
        error: expected calibration error, the count-weighted mean of |stated - true|.
    """

    stated: FloatArray
    true: FloatArray
    count: np.ndarray
    error: float


def sample_pixels(
    segmenter: Segmenter, samples: Iterable[tuple[ByteImage, ByteImage]], seed: int = 0
) -> PixelSample:
    """Run a model over labelled images and keep some labelled pixels of each.

    Raises:
        DataError: not one pixel is labelled.
    """
    rng = np.random.default_rng(seed)
    logits, kinds = [], []
    for image, labels in samples:
        rows, columns = np.nonzero(labels != UNKNOWN)
        if len(rows):
            chosen = rng.integers(len(rows), size=PIXELS_PER_IMAGE)
            row, column = rows[chosen], columns[chosen]
            segmenter.reset()  # the images have nothing to do with one another
            logits.append(segmenter.logits(image)[:, row, column].T)
            kinds.append(labels[row, column])
    if not logits:
        raise DataError('No labelled pixel in these images: calibration needs labels.')
    return PixelSample(np.concatenate(logits).astype(float), np.concatenate(kinds))


def fit_temperature(pixels: PixelSample) -> float:
    """Return the temperature of least negative log likelihood (Guo et al., arXiv 1706.04599)."""
    rows = np.arange(len(pixels.labels))

    def cost(log_temperature: float) -> float:
        scaled = pixels.logits / np.exp(log_temperature)
        return float(-log_softmax(scaled, axis=1)[rows, pixels.labels].mean())

    return float(np.exp(minimize_scalar(cost, bounds=(-2.0, 2.0), method='bounded').x))


def reliability(pixels: PixelSample, temperature: float) -> Reliability:
    """Return the reliability of the target classes' probabilities in `BINS` equal bins."""
    probability = softmax(pixels.logits / temperature, axis=1)[:, 1:]
    truth = pixels.labels[:, None] == np.arange(1, probability.shape[1] + 1)
    decided = probability >= UNDECIDED
    stated, hit = probability[decided], truth[decided]
    index = np.minimum((stated * BINS).astype(int), BINS - 1)
    count = np.bincount(index, minlength=BINS)
    with np.errstate(invalid='ignore'):
        mean = np.bincount(index, stated, BINS) / count
        true = np.bincount(index, hit, BINS) / count
    gap = np.nan_to_num(np.abs(mean - true))
    return Reliability(mean, true, count, float((gap * count).sum() / max(count.sum(), 1)))
