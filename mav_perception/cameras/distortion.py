"""Distortion models by the names and the numbers of coefficients that drivers give them."""

from __future__ import annotations

import numpy as np

from mav_perception.errors import InputError
from mav_perception.types import FloatArray

DISTORTION_MODELS = {
    'plumb_bob': (5, 4),
    'rational_polynomial': (8, 5, 4, 12, 14),
    'equidistant': (4,),
}
"""Models of sensor_msgs/CameraInfo and the numbers of coefficients that OpenCV knows for each,
the usual one first: 12 are with thin prisms, 14 with a tilted sensor too."""

OTHER_NAMES = {
    '': 'plumb_bob',
    'none': 'plumb_bob',
    'radtan': 'plumb_bob',
    'fisheye': 'equidistant',
    'kannala_brandt': 'equidistant',
}


def distortion_of(model: str, coefficients: FloatArray) -> tuple[str, FloatArray]:
    """Return a distortion as `PinholeCamera` takes it.

    Drivers fill up with zeros what their lens does not have, and leave out a k3 of zero: surplus
    zeros are cut, and an ideal lens has no coefficients.

    Args:
        model: name in a message or file.
        coefficients: (n,) in OpenCV's order.

    Raises:
        InputError: the model is unknown, or has not so many coefficients.
    """
    known = OTHER_NAMES.get(model.lower(), model.lower())
    if known not in DISTORTION_MODELS:
        raise InputError(
            f'Unknown distortion model {model!r}: use one of {", ".join(DISTORTION_MODELS)}.'
        )
    values = np.asarray(coefficients, float).ravel()
    if not values.any():
        return known, np.zeros(0)
    sizes = DISTORTION_MODELS[known]
    surplus = np.flatnonzero(values[max(sizes) :])
    if len(surplus):
        place = max(sizes) + int(surplus[0])
        raise InputError(
            f'{known} has {max(sizes)} distortion coefficients, here are {len(values)}, and '
            f'number {place + 1} is {values[place]:g}, not 0: name the model that was calibrated.'
        )
    values = values[: max(sizes)]
    if len(values) not in sizes:
        raise InputError(
            f'{known} has {" or ".join(map(str, sorted(sizes)))} distortion coefficients, here '
            f'are {len(values)}: give all of them, zeros too.'
        )
    return known, values
