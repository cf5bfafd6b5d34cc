"""Seeded augmentation: view, pasted targets, clutter, then what lens and sensor do to light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.copy_paste import CutOut, paste
from mav_perception.training.distractors import draw_clutter
from mav_perception.training.warping import Warp, pyramid, sample, sample_labels, warp_map
from mav_perception.types import ByteImage, FloatArray


@dataclass(frozen=True)
class LabelledImage:
    """An image at several sizes, its labels, and the points worth cropping around.

    Attributes:
        levels: the image at full, half and quarter size.
        labels: (H, W) class ids at full size.
        targets: for every class that is there (N, 2) pixels (column, row) inside its targets.
        hard: (M, 2) centres of false blobs that a network saw here.
    """

    levels: tuple[ByteImage, ...]
    labels: ByteImage
    targets: tuple[FloatArray, ...]
    hard: FloatArray

    @classmethod
    def of(cls, image: ByteImage, labels: ByteImage) -> LabelledImage:
        """Prepare an image and labels of the same size."""
        classes = np.setdiff1d(np.unique(labels), [0, UNKNOWN])
        points = [np.argwhere(labels == class_id)[:, ::-1] for class_id in classes]
        # Up to a hundred points are as good as all of them, and a thousand times smaller.
        targets = tuple(p[:: max(1, len(p) // 100)].astype(float) for p in points)
        return cls(pyramid(image), labels, targets, np.empty((0, 2)))


def augment(
    picture: LabelledImage,
    settings: TrainingConfiguration,
    others: list[CutOut],
    rng: np.random.Generator,
) -> tuple[ByteImage, ByteImage]:
    """Return a random crop of an image and its labels, changed alike.

    Args:
        picture: where to crop.
        settings: crop size, shares and strengths.
        others: targets of all training images, to paste.
        rng: source of every choice.

    Returns:
        (rows, columns[, 3]) image and (rows, columns) labels, uint8.
    """
    warp = _choose_warp(picture, settings, rng)
    where = warp_map(warp, settings.crop, picture.labels.shape, settings.lens_degrees)
    image = sample(picture.levels, where, warp.zoom)
    labels = sample_labels(picture.labels, where, UNKNOWN)
    for _ in range(rng.poisson(settings.pasted) if others else 0):
        paste(image, labels, others[rng.integers(len(others))], rng, decoy=rng.random() < 0.25)
    for _ in range(rng.poisson(settings.clutter)):
        draw_clutter(image, labels, rng)
    if settings.upside_down and rng.random() < 0.5:
        image, labels = image[::-1].copy(), labels[::-1].copy()
    return expose(image, rng, settings.colour, settings.saturation), labels


def _choose_warp(
    picture: LabelledImage, settings: TrainingConfiguration, rng: np.random.Generator
) -> Warp:
    """Crop around a target, a false blob or anywhere, and turn the camera a little.

    A uniform crop of a drone image is nearly always empty, so it must not be the rule.
    """
    rows, columns = picture.labels.shape
    # The network sees the image scaled to fit its input; a zoom of 1 is that scale.
    fitted = min(settings.height / rows, settings.width / columns)
    zoom = fitted * float(np.exp(rng.uniform(*np.log(settings.zoom))))
    choice = rng.random()
    source = rng.random(2) * (columns, rows)
    if choice < settings.target_crops and len(picture.targets):
        # The class first: else one that covers a hundredth of the others is hardly ever seen.
        points = picture.targets[rng.integers(len(picture.targets))]
        source = points[rng.integers(len(points))]
    elif choice > 1.0 - settings.hard_crops and len(picture.hard):
        source = picture.hard[rng.integers(len(picture.hard))]
    reach = np.array(settings.crop[::-1]) / zoom
    source = source + rng.uniform(-0.4, 0.4, 2) * reach
    # Most of the crop must lie in the image.
    middle = np.array([columns, rows]) / 2.0
    room = np.maximum(middle - 0.35 * reach, 0.0)
    source = np.clip(source, middle - room, middle + room)
    turn = rng.normal(0.0, 0.12, 2) * columns if settings.lens_degrees > 0.0 else np.zeros(2)
    angle = np.radians(rng.normal(0.0, settings.turn_degrees))
    return Warp(
        source=source,
        place=source + turn,
        zoom=zoom,
        angle=float(angle),
        mirror=bool(rng.random() < 0.5),
    )


def expose(
    image: ByteImage, rng: np.random.Generator, colour: float = 0.05, saturation: float = 0.0
) -> ByteImage:
    """Change gamma, gain, offset and colour, blur, cover, add sensor noise, and compress.

    Args:
        image: (rows, columns[, 3]).
        rng: source of every choice.
        colour: standard deviation of the log gain of one colour against the others.
        saturation: share of the images whose colours get weaker or stronger, 0 to 1.5 times.
    """
    table = (np.arange(256) / 255.0) ** np.exp(rng.normal(0.0, 0.3))
    channels = 1 if image.ndim == 2 else image.shape[2]
    gains = np.exp(rng.normal(0.0, 0.4) + rng.normal(0.0, colour, channels) * (channels > 1))
    tables = table[:, None] * gains + rng.normal(0.0, 0.05)
    image = cv2.LUT(image, _to_bytes(tables).reshape(1, 256, channels))  # type: ignore[assignment]
    if channels > 1 and saturation > 0.0 and rng.random() < saturation:
        image = _saturated(image, float(rng.uniform(0.0, 1.5)))
    image = _blurred(image, rng)
    if rng.random() < 0.15:
        image = _covered(image, rng)
    strength = rng.uniform(0.0, 10.0)
    if rng.random() < 0.7:
        cv2.setRNGSeed(int(rng.integers(2**31)))
        noise = cv2.randn(np.empty(image.shape, np.int16), 0.0, strength)  # type: ignore[call-overload]
        image = cv2.add(image, noise, dtype=cv2.CV_8U)  # type: ignore[assignment]
    if rng.random() < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
        flag = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
        image = cv2.imdecode(cv2.imencode('.jpg', image, quality)[1], flag)  # type: ignore[assignment]
    return image


def _saturated(image: ByteImage, factor: float) -> ByteImage:
    """Return an RGB image with its distance from grey times a factor; 0 leaves grey."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, factor, grey, 1.0 - factor, 0.0)  # type: ignore[return-value]


def _blurred(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Blur one image in three: out of focus, or along a line as by motion."""
    choice = rng.random()
    if choice < 0.2:
        return cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 2.5)))  # type: ignore[return-value]
    if choice < 0.33:
        length = int(rng.integers(3, 10))
        kernel = np.zeros((length, length), np.float32)
        angle = rng.uniform(0.0, np.pi)
        arm = (length - 1) / 2 * np.array([np.cos(angle), np.sin(angle)])
        ends = np.round((length - 1) / 2 + np.stack([-arm, arm])).astype(int)
        cv2.line(kernel, ends[0].tolist(), ends[1].tolist(), 1.0)
        return cv2.filter2D(image, -1, kernel / kernel.sum())  # type: ignore[return-value]
    return image


def _covered(image: ByteImage, rng: np.random.Generator) -> ByteImage:
    """Hide up to a quarter of an image under grey blocks, as dirt and leaves on a lens do.

    The labels stay: what is seen of a target between the blocks must be enough.
    """
    cell = int(rng.integers(6, 24))
    rows, columns = (-(-side // cell) for side in image.shape[:2])
    coarse = (rng.random((rows, columns)) < rng.uniform(0.05, 0.25)).astype(np.uint8)
    mask = cv2.resize(coarse, None, fx=cell, fy=cell, interpolation=cv2.INTER_NEAREST)
    hidden = mask[: image.shape[0], : image.shape[1]] > 0
    result = image.copy()
    result[hidden] = int(rng.integers(0, 256))
    return result


def _to_bytes(values: FloatArray) -> ByteImage:
    return (np.clip(values, 0.0, 1.0) * 255.0).astype(np.uint8)
