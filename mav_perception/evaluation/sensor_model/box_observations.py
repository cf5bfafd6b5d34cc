"""What anybody's detector of boxes made of every target that it was shown."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mav_perception.detection.boxes import Boxes
from mav_perception.errors import DataError
from mav_perception.evaluation.sensor_model.target_observations import (
    LabelledView,
    TargetObservations,
    observations_of,
)
from mav_perception.io.boxes import BoxTable
from mav_perception.types import Detection, FloatArray


def collect_box_observations(
    found: BoxTable, real: BoxTable, size: tuple[int, int], min_score: float
) -> TargetObservations:
    """Pair the boxes of a detector with those of a person, image by image.

    Args:
        found: boxes of the detector.
        real: boxes of the labels; images without one here were shown too.
        size: (width, height) of the images.
        min_score: boxes of a lower score do not count.

    Raises:
        DataError: the detector has boxes for images that nobody labelled.
    """
    if strange := sorted(set(found) - set(real)):
        raise DataError(
            f'{strange[0]} has boxes of the detector and no labels: label it, in YOLO with an '
            'empty .txt if it shows no drone, or leave it out.'
        )
    width, height = size
    blank = np.broadcast_to(np.zeros((), np.uint8), (height, width))

    def entries() -> Iterator[tuple[LabelledView, list[Detection], list[Detection]]]:
        for name, truth in real.items():
            guessed = _boxes(found.get(name, np.zeros((0, 5))))
            yield (
                LabelledView(image=blank, labels=blank),
                guessed.detections(width, height, 1, min_score),
                _boxes(truth).detections(width, height, 1, 0.0),
            )

    return observations_of(entries(), None)


def _boxes(table: FloatArray) -> Boxes:
    return Boxes(table[:, :2], table[:, 2:4], table[:, 4])
