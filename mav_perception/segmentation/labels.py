"""Label spaces: which class id means what, and the colour it is drawn in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.errors import ConfigurationError
from mav_perception.types import ByteImage

UNKNOWN = 255
"""Label of pixels that count for nothing: outside the lens, own body, never labelled."""


@dataclass(frozen=True)
class LabelSpace:
    """Names of the classes in id order and their RGB colours."""

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]

    @property
    def size(self) -> int:
        """Return the number of classes."""
        return len(self.names)

    def colourise(self, labels: ByteImage) -> ByteImage:
        """Paint (H, W) class ids as an (H, W, 3) RGB image; unknown pixels become grey."""
        table = np.full((256, 3), 96, np.uint8)
        table[: self.size] = self.colours
        return table[labels]

    def overlay(self, image: ByteImage, labels: ByteImage, opacity: float = 0.5) -> ByteImage:
        """Blend the colours of every class but the background into an (H, W[, 3]) RGB image."""
        rgb = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image.copy()
        found = (labels > 0) & (labels != UNKNOWN)
        blend = (1.0 - opacity) * rgb[found] + opacity * self.colourise(labels)[found]
        rgb[found] = blend.astype(np.uint8)
        return rgb


LABEL_SPACES = {
    'drone': LabelSpace(('background', 'drone'), ((0, 0, 0), (230, 60, 40))),
    'penstock': LabelSpace(
        ('background', 'corrosion', 'rivet', 'water'),
        ((0, 0, 0), (230, 110, 20), (60, 200, 60), (40, 90, 230)),
    ),
}


def label_space(name: str) -> LabelSpace:
    """Return a known label space, or raise ConfigurationError that lists the known ones."""
    try:
        return LABEL_SPACES[name]
    except KeyError:
        known = ', '.join(LABEL_SPACES)
        raise ConfigurationError(f'Unknown label space {name!r}: use one of {known}.') from None
