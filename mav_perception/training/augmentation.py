"""Seeded augmentation: view, pasted targets, clutter, then what lens and sensor do to light.

What is done is chosen first; what that does to pixels is here for one crop on the CPU, and in
`training.on_device` for a batch on a GPU.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np

from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.training.configuration import TrainingConfiguration
from mav_perception.training.copy_paste import CutOut, Pasting, choose_pasting, paste
from mav_perception.training.distractors import VARIETY, cover, draw_clutter
from mav_perception.training.exposure import Exposure, choose_exposure, expose
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


@dataclass(frozen=True)
class Choices:
    """All that is done to one crop.

    Attributes:
        warp: the view.
        pasted: targets that are put into it.
        clutter: seeds below `distractors.VARIETY` of the things drawn into it.
        upside_down: whether it is mirrored from top to bottom.
        exposure: what happens to its light.
    """

    warp: Warp
    pasted: tuple[Pasting, ...]
    clutter: tuple[int, ...]
    upside_down: bool
    exposure: Exposure


def choose(
    picture: LabelledImage, settings: TrainingConfiguration, cut_outs: int, seed: tuple[int, ...]
) -> Choices:
    """Draw all choices for a crop; the same for the same seed, whatever makes the pixels.

    Args:
        picture: where to crop.
        settings: crop size, shares and strengths.
        cut_outs: how many targets there are to paste.
        seed: source of every choice.
    """
    rng = random.Random(str(seed))
    channels = 1 if picture.levels[0].ndim == 2 else 3
    strengths = settings.colour, settings.saturation
    pasted = _poisson(settings.pasted, rng) if cut_outs else 0
    drawn = _poisson(settings.clutter, rng)
    return Choices(
        warp=_choose_warp(picture, settings, rng),
        pasted=tuple(choose_pasting(cut_outs, rng) for _ in range(pasted)),
        clutter=tuple(rng.randrange(VARIETY) for _ in range(drawn)),
        upside_down=settings.upside_down and rng.random() < 0.5,
        exposure=choose_exposure(settings.crop, channels, rng, *strengths),
    )


def _poisson(mean: float, rng: random.Random) -> int:
    """Count the events of a Poisson process within a time of `mean`."""
    count, time = 0, rng.expovariate(1.0)
    while time < mean:
        count, time = count + 1, time + rng.expovariate(1.0)
    return count


def augment(
    picture: LabelledImage,
    chosen: Choices,
    settings: TrainingConfiguration,
    cut_outs: list[CutOut],
) -> tuple[ByteImage, ByteImage]:
    """Return the chosen crop of an image and its labels, changed alike.

    Args:
        picture: where to crop.
        chosen: what to do.
        settings: crop size and lens.
        cut_outs: targets of all training images, to paste.

    Returns:
        (rows, columns[, 3]) image and (rows, columns) labels, uint8.
    """
    warp = chosen.warp
    where = warp_map(warp, settings.crop, picture.labels.shape, settings.lens_degrees)
    image = sample(picture.levels, where, warp.zoom)
    labels = sample_labels(picture.labels, where, UNKNOWN)
    for pasting in chosen.pasted:
        paste(image, labels, cut_outs[pasting.index], pasting)
    for seed in chosen.clutter:
        cover(image, labels, draw_clutter(settings.crop, seed))
    if chosen.upside_down:
        image, labels = image[::-1].copy(), labels[::-1].copy()
    return expose(image, chosen.exposure), labels


def _choose_warp(
    picture: LabelledImage, settings: TrainingConfiguration, rng: random.Random
) -> Warp:
    """Crop around a target, a false blob or anywhere, and turn the camera a little.

    A uniform crop of a drone image is nearly always empty, so it must not be the rule.
    """
    rows, columns = picture.labels.shape
    # The network sees the image scaled to fit its input; a zoom of 1 is that scale.
    fitted = min(settings.height / rows, settings.width / columns)
    smallest, largest = settings.zoom
    zoom = fitted * smallest * (largest / smallest) ** rng.random()
    choice = rng.random()
    x, y = rng.random() * columns, rng.random() * rows
    if choice < settings.target_crops and picture.targets:
        # The class first: else one that covers a hundredth of the others is hardly ever seen.
        x, y = rng.choice(rng.choice(picture.targets))
    elif choice > 1.0 - settings.hard_crops and len(picture.hard):
        x, y = rng.choice(picture.hard)
    source = np.array(
        [
            _moved(x, settings.crop[1] / zoom, columns, rng),
            _moved(y, settings.crop[0] / zoom, rows, rng),
        ]
    )
    turned = settings.lens_degrees > 0.0
    turn = [rng.gauss(0.0, 0.12) * columns for _ in range(2)] if turned else [0.0, 0.0]
    return Warp(
        source=source,
        place=source + turn,
        zoom=zoom,
        angle=math.radians(rng.gauss(0.0, settings.turn_degrees)),
        mirror=rng.random() < 0.5,
    )


def _moved(place: float, reach: float, size: int, rng: random.Random) -> float:
    """Move the middle of a crop off its place, while most of it lies in the image."""
    place += rng.uniform(-0.4, 0.4) * reach
    room = max(size / 2.0 - 0.35 * reach, 0.0)
    return min(max(place, size / 2.0 - room), size / 2.0 + room)
