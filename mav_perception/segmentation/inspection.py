"""What an inspector asks of a mask: how much of the view each class covers."""

from __future__ import annotations

import numpy as np

from mav_perception.segmentation.labels import UNKNOWN, LabelSpace
from mav_perception.types import ByteImage, FloatArray


def area_shares(labels: ByteImage, space: LabelSpace) -> FloatArray:
    """Return the share (0..1) of the known pixels of (H, W) class ids that each class covers.

    A share of the image, not of the wall: the camera's angle and distance are not known here. All
    are 0 where every pixel is unknown.
    """
    counts = np.bincount(labels.ravel(), minlength=UNKNOWN + 1)[: space.size]
    return counts / max(counts.sum(), 1)
