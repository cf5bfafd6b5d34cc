"""Progress bars of commands, on a terminal only."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mav_perception.types import ByteImage


def labelled_samples(
    folder: Path, classes: int, what: str
) -> Iterable[tuple[ByteImage, ByteImage]]:
    """Yield the images and labels of a folder, and show how far it is.

    Args:
        folder: with images/ and labels/.
        classes: of the labels.
        what: is done with them, for the bar.
    """
    from tqdm import tqdm

    from mav_perception.io.labelled_images import folder_samples, labelled_pairs

    count = len(labelled_pairs(folder))
    samples = folder_samples(folder, classes)
    return tqdm(samples, desc=what, total=count, disable=None, leave=False)
