"""The part of the image in which drones can be seen: not the own body, not beyond the lens."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mav_perception.errors import ConfigurationError, DataError, InputError
from mav_perception.io.images import read_image
from mav_perception.segmentation.labels import UNKNOWN
from mav_perception.types import ByteImage, LabelMask


def load_view(path: Path) -> ByteImage:
    """Read a view mask: an image of the camera's size, black where nothing counts.

    Raises:
        ConfigurationError: the file is unreadable, or all of it is black.
    """
    try:
        view = read_image(path)
    except DataError as error:
        raise ConfigurationError(f'view_mask: {error}') from error
    view = view if view.ndim == 2 else view.max(axis=2)
    if not view.any():
        raise ConfigurationError(f'view_mask {path} is all black: nothing would ever be seen.')
    return view


def restrict_to_view(mask: LabelMask, view: ByteImage) -> LabelMask:
    """Return a mask that is unknown outside the view; blobs that reach there count as cut.

    Raises:
        InputError: mask and view differ in size.
    """
    if mask.labels.shape != view.shape:
        raise InputError(
            f'Mask is {mask.labels.shape[1]}x{mask.labels.shape[0]}, view_mask '
            f'{view.shape[1]}x{view.shape[0]}: draw view_mask at the size of the image.'
        )
    return LabelMask(np.where(view > 0, mask.labels, UNKNOWN).astype(np.uint8), mask.confidence)
