"""What a network made of every target it was shown: the raw material of a sensor model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.segmentation import counted_blobs, match_blobs
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.types import BoolArray, ByteImage, Detection, FloatArray, IntArray

MOST = 1000
"""More cameras and targets than a flight has."""


@dataclass(frozen=True)
class LabelledView:
    """An image with its labels and, if it is known, where the targets truly are.

    Attributes:
        image: (H, W[, 3]) uint8.
        labels: (H, W) class ids, 1 = target.
        targets: (T, 3) true positions in the optical frame, or None on real images.
        flight: index of the flight, -1 for an image of its own.
        camera: index of the camera of that flight.
        time: seconds in that flight.
    """

    image: ByteImage
    labels: ByteImage
    targets: FloatArray | None = None
    flight: int = -1
    camera: int = 0
    time: float = 0.0


Entry: TypeAlias = tuple[LabelledView, list[Detection], list[Detection]]
"""A view, what was found in it, and what is labelled there."""


@dataclass(frozen=True)
class TargetObservations:
    """Targets over all images, one row each; pixels are those of the images.

    Attributes:
        group: (images,) images of one camera in one flight have the same number.
        image_size: rows and columns.
        frame: (n,) index of the image.
        track: (n,) the same number for the same target before the same camera, -1 if not known.
        time: (n,) seconds in the flight.
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

    group: IntArray
    image_size: tuple[int, int]
    frame: IntArray
    track: IntArray
    time: FloatArray
    pixel: FloatArray
    width: FloatArray
    distance: FloatArray
    cut: BoolArray
    found_pixel: FloatArray
    found_width: FloatArray
    found_score: FloatArray
    false_frame: IntArray
    false_pixel: FloatArray
    false_score: FloatArray

    @property
    def images(self) -> int:
        """Return the number of images."""
        return len(self.group)

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
        """Return one of several interleaved parts, split by camera or, without flights, image."""
        part = self.group % parts == remainder
        keep, false = part[self.frame], part[self.false_frame]
        rows = {
            f.name: getattr(self, f.name)[false if f.name.startswith('false') else keep]
            for f in fields(self)[2:]
        }
        new_index = np.cumsum(part) - 1
        rows['frame'], rows['false_frame'] = (
            new_index[rows['frame']], new_index[rows['false_frame']],
        )  # fmt: skip
        return TargetObservations(self.group[part], self.image_size, **rows)


def collect_observations(
    segmenter: Segmenter, views: Iterable[LabelledView], camera: PinholeCamera | None
) -> TargetObservations:
    """Segment every image and note what became of every target, and every false blob.

    Args:
        segmenter: the network.
        views: images of one size.
        camera: intrinsics, needed where the views know the targets' positions.
    """

    def entries() -> Iterator[Entry]:
        for view in views:
            segmenter.reset()  # views of any camera, in any order
            mask = segmenter.segment(view.image)
            yield view, *counted_blobs(mask, view.labels, segmenter.card.min_score)

    return observations_of(entries(), camera)


def observations_of(entries: Iterable[Entry], camera: PinholeCamera | None) -> TargetObservations:
    """Pair what was found with what is labelled.

    Args:
        entries: views with what was found and what is labelled in each.
        camera: intrinsics, needed where the views know the targets' positions.

    Raises:
        DataError: the images are not of one size, that of the camera.
    """
    rows: list[tuple[float, ...]] = []
    false: list[tuple[float, ...]] = []
    size = (0, 0)
    group: list[int] = []
    for view, found, real in entries:
        size = _one_size(size, (view.labels.shape[0], view.labels.shape[1]), camera)
        pairs, _ = match_blobs(found, real, 640.0 / size[1])
        match = {j: found[i] for i, j in pairs}
        truth = _true_places(real, view.targets, camera)
        for j, (blob, (place, distance, target)) in enumerate(zip(real, truth, strict=True)):
            track = -1 if target < 0 or view.flight < 0 else _track(view, target)
            rows.append((len(group), track, view.time, *_row(blob, match.get(j), place, distance)))
        hits = {i for i, _ in pairs}
        false += [(len(group), *b.centroid, b.score) for i, b in enumerate(found) if i not in hits]
        group.append(len(group) if view.flight < 0 else view.flight * MOST + view.camera)
    table = np.array(rows).reshape(-1, 12)
    wrong = np.array(false).reshape(-1, 4)
    return TargetObservations(
        group=np.array(group, np.int64),
        image_size=size,
        frame=table[:, 0].astype(np.int64),
        track=table[:, 1].astype(np.int64),
        time=table[:, 2],
        pixel=table[:, 3:5],
        width=table[:, 5],
        distance=table[:, 6],
        cut=table[:, 7] > 0.0,
        found_pixel=table[:, 8:10],
        found_width=table[:, 10],
        found_score=table[:, 11],
        false_frame=wrong[:, 0].astype(np.int64),
        false_pixel=wrong[:, 1:3],
        false_score=wrong[:, 3],
    )


def _one_size(
    before: tuple[int, int], size: tuple[int, int], camera: PinholeCamera | None
) -> tuple[int, int]:
    """Return the rows and columns of an image, if all have these."""
    if camera is not None and size != (camera.height, camera.width):
        raise DataError(
            f'An image is {size[1]}x{size[0]}, the camera {camera.width}x{camera.height}: '
            'calibrate it at the size of the images.'
        )
    if before not in ((0, 0), size):
        raise DataError(
            f'An image is {size[1]}x{size[0]}, the one before {before[1]}x{before[0]}: give '
            'images of one camera.'
        )
    return size


def _track(view: LabelledView, target: int) -> int:
    """Return a number for a target before a camera of a flight."""
    return (view.flight * MOST + view.camera) * MOST + target


def _true_places(
    real: list[Detection], targets: FloatArray | None, camera: PinholeCamera | None
) -> list[tuple[FloatArray, float, int]]:
    """Return pixel and distance of every labelled blob, and which target it is, -1 if not known.

    A blob that shows several targets, or one half hidden by another, has no distance of its own.
    """
    places = [(blob.centroid, np.nan, -1) for blob in real]
    if targets is None or camera is None:
        return places
    who = np.flatnonzero(targets[:, 2] > 0.05)
    ahead = targets[who]
    pixels = camera.project(ahead)
    for j, blob in enumerate(real):
        left, top, width, height = blob.box
        inside = (pixels >= (left, top)) & (pixels <= (left + width, top + height))
        here = np.flatnonzero(inside.all(axis=1))
        if len(here) == 1:
            distance = float(np.linalg.norm(ahead[here[0]]))
            places[j] = (pixels[here[0]], distance, int(who[here[0]]))
    return places


def _row(
    blob: Detection, match: Detection | None, pixel: FloatArray, distance: float
) -> tuple[float, ...]:
    cut = blob.cut or (match is not None and match.cut)
    found = (np.nan,) * 4
    if match is not None:
        found = (*match.centroid, match.length, match.score)
    return (*pixel, blob.length, distance, cut, *found)
