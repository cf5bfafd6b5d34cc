"""Camera images with what was made of them: the mask, and for whom each sighting was taken."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.evaluation.flight.flight_associations import AssociatedFrame
from mav_perception.evaluation.report.run_record import Picture
from mav_perception.segmentation.labels import LabelSpace
from mav_perception.types import ByteImage

WIDTH = 480
"""Pixels of a picture in the report."""

NOBODY, SOMEBODY = (150, 150, 150), (40, 220, 60)


def camera_picture(
    image: ByteImage,
    mask: ByteImage | None,
    space: LabelSpace,
    camera: PinholeCamera,
    frame: AssociatedFrame,
    names: Sequence[str],
    caption: str,
    width: int = WIDTH,
) -> Picture:
    """Return an image with its mask and the names of whom its sightings were taken for.

    Args:
        image: (H, W) grey or (H, W, 3) RGB.
        mask: (H, W) labels, None if there are none.
        space: of the labels.
        camera: of the image.
        frame: sightings of the image, in the optical frame, and whom each was taken for.
        names: of the team; a static object comes after them.
        caption: of the picture.
        width: of the picture in pixels.
    """
    rgb = image if mask is None else space.overlay(image, mask)
    rgb = np.repeat(rgb[..., None], 3, axis=2) if rgb.ndim == 2 else rgb
    scale = width / rgb.shape[1]
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    pixels = camera.project(frame.positions) * scale if len(frame.positions) else np.zeros((0, 2))
    for (u, v), origin in zip(pixels, frame.origin.tolist(), strict=True):
        if not (0.0 <= u < small.shape[1] and 0.0 <= v < small.shape[0]):
            continue
        colour = NOBODY if origin < 0 else SOMEBODY
        centre = round(float(u)), round(float(v))
        cv2.circle(small, centre, 14, colour, 1, cv2.LINE_AA)
        place = centre[0] + 16, centre[1] + 4
        cv2.putText(
            small, _name(origin, names), place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1,
            cv2.LINE_AA,
        )  # fmt: skip
    _, data = cv2.imencode('.jpg', cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
    return Picture(caption, data.tobytes())


def _name(origin: int, names: Sequence[str]) -> str:
    if origin < 0:
        return 'nobody'
    return names[origin] if origin < len(names) else 'object'
