"""Seeded augmentation: crop around targets, mirror, rescale, exposure, blur and noise."""

from __future__ import annotations

import cv2
import numpy as np

from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import ByteImage


def augment(
    image: ByteImage, labels: ByteImage, crop: tuple[int, int], rng: np.random.Generator
) -> tuple[ByteImage, ByteImage]:
    """Return a random (rows, columns) crop of an image and its labels, changed alike.

    Two crops in three are centred near a target pixel when there is one, because a uniform crop
    of a drone image is nearly always empty; the others teach what is no drone.
    """
    scale = float(np.exp(rng.uniform(np.log(0.7), np.log(1.4))))
    angle = rng.normal(0.0, 6.0)
    rows, columns = crop
    centre = _choose_centre(labels, rng)
    transform = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, scale)
    transform[:, 2] += np.array([columns, rows]) * rng.uniform(0.25, 0.75, 2) - centre
    image = cv2.warpAffine(image, transform, (columns, rows), flags=cv2.INTER_LINEAR)  # type: ignore[assignment]
    labels = cv2.warpAffine(  # type: ignore[assignment]
        labels, transform, (columns, rows), flags=cv2.INTER_NEAREST, borderValue=UNKNOWN
    )
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    return _expose(image, rng), np.ascontiguousarray(labels)


def _choose_centre(labels: ByteImage, rng: np.random.Generator) -> np.ndarray:
    targets = np.argwhere((labels > 0) & (labels != UNKNOWN))
    if len(targets) and rng.random() < 0.67:
        return targets[rng.integers(len(targets))][::-1].astype(float)
    return rng.random(2) * np.array(labels.shape[::-1])


def _expose(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Change gain, gamma and offset, then sometimes blur, then add sensor noise."""
    values = (image.astype(np.float32) / 255.0) ** np.float32(np.exp(rng.normal(0.0, 0.25)))
    values = values * np.float32(np.exp(rng.normal(0.0, 0.25))) + np.float32(rng.normal(0.0, 0.04))
    if rng.random() < 0.3:
        values = cv2.GaussianBlur(values, (0, 0), float(rng.uniform(0.4, 1.4)))  # type: ignore[assignment]
    noise = rng.standard_normal(values.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.04))
    return (np.clip(values + noise, 0.0, 1.0) * 255.0).astype(np.uint8)
