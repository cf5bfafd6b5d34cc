"""What a network made of every target it was shown: the raw material of a sensor model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.evaluation.metrics.segmentation import counted_blobs, match_blobs
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.types import BoolArray, ByteImage, Detection, FloatArray


@dataclass(frozen=True)
class LabelledView:
    """An image with its labels and, if it is known, where the targets truly are.

    Attributes:
        image: (H, W[, 3]) uint8.
        labels: (H, W) class ids, 1 = target.
        targets: (T, 3) true positions in the optical frame, or None on real images.
    """

    image: ByteImage
    labels: ByteImage
    targets: FloatArray | None = None


@dataclass(frozen=True)
class TargetObservations:
    """Targets over all images, one row each; pixels are those of the images.

    Attributes:
        images: number of images.
        image_size: rows and columns.
        frame: (n,) index of the image.
        pixel: (n, 2) where the target is: its projected centre, or the centre of its label.
        width: (n,) length of its label's long axis.
        distance: (n,) true distance in metres, NaN where it is not known.
        cut: (n,) label or blob is cut by the border.
        found_pixel: (n, 2) centroid of the blob that was matched, NaN for a missed detection.
        found_width: (n,) length of that blob's long axis, NaN for a missed detection.
        found_score: (n,) mean confidence of that blob, NaN for a missed detection.
        false_frame: (k,) index of the image of every false blob.
        false_pixel: (k, 2) centroids of false blobs.
        false_score: (k,) mean confidences of false blobs.
    """

    images: int
    image_size: tuple[int, int]
    frame: FloatArray
    pixel: FloatArray
    width: FloatArray
    distance: FloatArray
    cut: BoolArray
    found_pixel: FloatArray
    found_width: FloatArray
    found_score: FloatArray
    false_frame: FloatArray
    false_pixel: FloatArray
    false_score: FloatArray

    @property
    def found(self) -> BoolArray:
        """Return which targets were found, (n,)."""
        return np.isfinite(self.found_width)

    @property
    def whole(self) -> BoolArray:
        """Return which targets were found and are not cut, (n,)."""
        return self.found & ~self.cut

    @property
    def ranged(self) -> BoolArray:
        """Return which of those have a known distance, (n,)."""
        return self.whole & np.isfinite(self.distance)

    def of_frames(self, remainder: int, parts: int) -> TargetObservations:
        """Return one of several interleaved parts, split by image."""
        keep = self.frame % parts == remainder
        false = self.false_frame % parts == remainder
        rows = {
            f.name: getattr(self, f.name)[false if f.name.startswith('false') else keep]
            for f in fields(self)[2:]
        }
        images = len(range(remainder, self.images, parts))
        return TargetObservations(images, self.image_size, **rows)


def collect_observations(
    segmenter: Segmenter, views: Iterable[LabelledView], camera: PinholeCamera | None
) -> TargetObservations:
    """Segment every image and note what became of every target, and every false blob.

    Args:
        segmenter: the network.
        views: images of one size.
        camera: intrinsics, needed where the views know the targets' positions.
    """
    rows: list[tuple[float, ...]] = []
    false: list[tuple[float, ...]] = []
    size, images = (0, 0), 0
    for view in views:
        size = (view.labels.shape[0], view.labels.shape[1])
        segmenter.reset()  # views of any camera, in any order
        found, real = counted_blobs(segmenter.segment(view.image), view.labels)
        pairs, _ = match_blobs(found, real, 640.0 / size[1])
        match = {j: found[i] for i, j in pairs}
        truth = _true_places(real, view.targets, camera)
        for j, blob in enumerate(real):
            rows.append((images, *_row(blob, match.get(j), *truth[j])))
        hits = {i for i, _ in pairs}
        false += [(images, *b.centroid, b.score) for i, b in enumerate(found) if i not in hits]
        images += 1
    table = np.array(rows).reshape(-1, 10)
    wrong = np.array(false).reshape(-1, 4)
    return TargetObservations(
        images=images,
        image_size=size,
        frame=table[:, 0],
        pixel=table[:, 1:3],
        width=table[:, 3],
        distance=table[:, 4],
        cut=table[:, 5] > 0.0,
        found_pixel=table[:, 6:8],
        found_width=table[:, 8],
        found_score=table[:, 9],
        false_frame=wrong[:, 0],
        false_pixel=wrong[:, 1:3],
        false_score=wrong[:, 3],
    )


def _true_places(
    real: list[Detection], targets: FloatArray | None, camera: PinholeCamera | None
) -> list[tuple[FloatArray, float]]:
    """Return pixel and distance of every labelled blob.

    A blob that shows several targets, or one half hidden by another, has no distance of its own.
    """
    places = [(blob.centroid, np.nan) for blob in real]
    if targets is None or camera is None:
        return places
    ahead = targets[targets[:, 2] > 0.05]
    pixels = camera.project(ahead)
    for j, blob in enumerate(real):
        left, top, width, height = blob.box
        inside = (pixels >= (left, top)) & (pixels <= (left + width, top + height))
        here = np.flatnonzero(inside.all(axis=1))
        if len(here) == 1:
            places[j] = (pixels[here[0]], float(np.linalg.norm(ahead[here[0]])))
    return places


def _row(
    blob: Detection, match: Detection | None, pixel: FloatArray, distance: float
) -> tuple[float, ...]:
    cut = blob.cut or (match is not None and match.cut)
    found = (np.nan,) * 4
    if match is not None:
        found = (*match.centroid, match.length, match.score)
    return (*pixel, blob.length, distance, cut, *found)
