"""Regions of any tool -> `images/` and `labels/`, with the class ids of a label space."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mav_perception.datasets.label_import.coco import read_coco
from mav_perception.datasets.label_import.cvat import read_cvat
from mav_perception.datasets.label_import.labelme import read_labelme, without_labels
from mav_perception.datasets.label_import.masks import read_masks
from mav_perception.datasets.label_import.regions import AnnotatedImage
from mav_perception.datasets.label_import.yolo import read_yolo
from mav_perception.errors import ConfigurationError, DataError, MavPerceptionError
from mav_perception.io.images import IMAGE_SUFFIXES, read_image, write_image
from mav_perception.segmentation.labels import UNKNOWN, LabelSpace
from mav_perception.types import ByteImage

FORMATS: dict[str, Callable[[Path], Iterator[AnnotatedImage]]] = {
    'labelme': read_labelme,
    'coco': read_coco,
    'voc': read_masks,
    'cvat': read_cvat,
    'yolo-seg': read_yolo,
    'masks': read_masks,
}


FARTHEST = 10
"""Image sizes that an outline may reach beyond its image; what counts the pixels crashes else."""


@dataclass(frozen=True)
class Imported:
    """What was written: number of images, and what a person should know, a line each."""

    images: int
    notices: tuple[str, ...]


def import_labels(
    kind: str,
    source: Path,
    output: Path,
    space: LabelSpace,
    given: dict[str, str],
    empty: bool = False,
) -> Imported:
    """Convert labelled images; nothing is written unless all of them can be.

    Args:
        kind: one of `FORMATS`.
        source: file or folder that the tool wrote.
        output: new folder, gets images/ and labels/.
        space: the classes.
        given: name in the source -> name of a class, or 'unknown'.
        empty: images for which labelme has written nothing show no target; else they are left out.

    Raises:
        DataError: something is missing or broken, or there is nothing to import.
        ConfigurationError: a name that is no class, or the folder has images already.
    """
    if (output / 'images').exists() or (output / 'labels').exists():
        raise ConfigurationError(f'{output} has images already: give a new folder.')
    # Two passes: masks of a large set do not fit into memory at once.
    images, names = [], set()
    for entry in _entries(kind, source):
        _check_size(entry)
        images.append(entry.image)
        names |= {region.name for region in entry.regions}
    if not names:
        raise DataError(f'{source} has {len(images)} images and nothing labelled in them.')
    classes, notices = _classes(names, space, given)
    left = without_labels(source, images) if kind == 'labelme' else []
    if left and not empty:
        notices.append(
            f'{len(left)} images have no .json and are left out, such as {left[0]}: with --empty '
            'they count as images without a target.'
        )
    bare = left if empty else []
    stems = _stems([*images, *bare])
    entries = chain(_entries(kind, source), map(_nothing_in, bare))
    try:
        for folder in ('images', 'labels'):
            (output / folder).mkdir(parents=True)
        each = tqdm(zip(entries, stems, strict=True), total=len(stems), disable=None, leave=False)
        for entry, stem in each:
            _copy_image(entry.image, output / 'images', stem)
            write_image(output / 'labels' / f'{stem}.png', _painted(entry, classes))
    except BaseException:
        for folder in ('images', 'labels'):
            shutil.rmtree(output / folder, ignore_errors=True)
        raise
    return Imported(len(stems), tuple(notices))


def _copy_image(image: Path, folder: Path, stem: str) -> None:
    """Copy an image as it is, or as PNG if it is of a kind that no other command looks for."""
    suffix = image.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        shutil.copyfile(image, folder / f'{stem}{suffix}')
    else:
        write_image(folder / f'{stem}.png', read_image(image))


def _entries(kind: str, source: Path) -> Iterator[AnnotatedImage]:
    """Yield what a tool wrote; what no reader foresaw is named as broken too."""
    try:
        yield from FORMATS[kind](source)
    except (MavPerceptionError, FileNotFoundError):
        raise
    except Exception as error:
        raise DataError(f'{source} holds {kind} labels that are broken: {error!r}.') from error


def _nothing_in(image: Path) -> AnnotatedImage:
    rows, columns = read_image(image).shape[:2]
    return AnnotatedImage(image, (columns, rows), (), image)


def _classes(
    names: set[str], space: LabelSpace, given: dict[str, str]
) -> tuple[dict[str, int], list[str]]:
    """Return name -> class id, and what was guessed."""
    ids = {name.lower(): index for index, name in enumerate(space.names)}
    ids |= {'unknown': UNKNOWN, str(UNKNOWN): UNKNOWN}
    ids |= {str(index): index for index in range(space.size)}
    known = ', '.join((*space.names, 'unknown'))
    if unused := sorted(set(given) - names):
        raise ConfigurationError(
            f'No label is called {unused[0]!r}; there are {", ".join(sorted(names))}.'
        )
    if wrong := [name for name in given.values() if name.lower() not in ids]:
        raise ConfigurationError(f'{wrong[0]!r} is no class: use one of {known}.')
    classes = {name: ids[kind.lower()] for name, kind in given.items()}
    left = sorted(names - set(classes))
    targets = [name for name in left if name.lower() not in ids or name == str(UNKNOWN)]
    if space.size == 2 and len(names) == len(targets) == 1:
        notice = f'{targets[0]} is taken for {space.names[1]}, the only class there is.'
        return {targets[0]: 1}, [notice]
    if strange := [name for name in left if name.lower() not in ids]:
        raise ConfigurationError(
            f'{", ".join(strange)}: no such class. Say what each is, such as --map '
            f'{strange[0]}={space.names[1]} or {strange[0]}=unknown; classes are {known}.'
        )
    return classes | {name: ids[name.lower()] for name in left}, []


def _check_size(entry: AnnotatedImage) -> None:
    image = read_image(entry.image)
    size = image.shape[1], image.shape[0]
    if entry.size != size:
        raise DataError(
            f'{entry.image} is {size[0]}x{size[1]}, but {entry.source} says {entry.size[0]}x'
            f'{entry.size[1]}: it is another image, or was turned or scaled since.'
        )
    reach = FARTHEST * max(size)
    for region in entry.regions:
        if region.outline is not None and np.abs(region.outline).max() > reach:
            raise DataError(
                f'{entry.source}: an outline of {region.name!r} reaches {reach} pixels and more '
                f'beyond {entry.image.name}: its numbers are no pixels.'
            )


def _painted(entry: AnnotatedImage, classes: dict[str, int]) -> ByteImage:
    """Return the labels of an image."""
    labels = np.zeros(entry.size[::-1], np.uint8)
    for region in entry.regions:
        labels[region.painted(entry.size)] = classes[region.name]
    return labels


def _stems(images: list[Path]) -> list[str]:
    """Return a name for each image; folders go into the name where it would occur twice."""
    stems = [image.stem for image in images]
    if len(set(stems)) == len(stems):
        return stems
    longer = [f'{image.parent.name}_{image.stem}' for image in images]
    if len(set(longer)) < len(longer):
        twice = next(name for name in longer if longer.count(name) > 1)
        raise DataError(f'{twice} occurs twice: give the images names of their own.')
    return longer
