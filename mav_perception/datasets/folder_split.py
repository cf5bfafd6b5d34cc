"""Split a folder of labelled images into training and validation, sequence by sequence."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np

from mav_perception.errors import ConfigurationError, DataError
from mav_perception.io.labelled_images import (
    labelled_pairs,
    read_pair,
    shows_target,
    targets_are_255,
)

Pair = tuple[Path, Path]


def split_folder(
    source: Path, output: Path, share: float, group: str, seed: int, classes: int
) -> dict[str, int]:
    """Copy images and labels into `output/train` and `output/val`.

    Args:
        source: has images/ and labels/.
        output: folder that has no split yet; the source may lie in it.
        share: of the images that goes to val, at least; groups stay whole.
        group: regular expression; what its first group matches in the name of a file is the
            sequence. Frames of one flight look alike: in both splits they make val too good.
            Empty: every image by itself.
        seed: of the choice.
        classes: number of classes of the labels.

    Returns:
        how many images each split has.

    Raises:
        DataError: a split would have no target, or a file is broken.
        ConfigurationError: an impossible share or expression, or a split exists.
    """
    if not 0.0 < share < 1.0:
        raise ConfigurationError(f'A share of {share} for val must lie between 0 and 1.')
    for name in ('train', 'val'):
        if (output / name).exists():
            raise ConfigurationError(f'{output / name} is there already: give another folder.')
    pairs = labelled_pairs(source)
    target_is_255 = targets_are_255(pairs, classes)
    with_target = {p for p in pairs if shows_target(read_pair(*p, classes, target_is_255)[1])}
    sequences = _sequences(pairs, group)
    wanted = share * len(pairs)
    split: dict[str, list[Pair]] = {'train': [], 'val': []}
    for name in np.random.default_rng(seed).permutation(sorted(sequences)):
        split['val' if len(split['val']) < wanted else 'train'] += sequences[name]
    for name, pairs in split.items():
        if not with_target.intersection(pairs):
            raise DataError(
                f'{name} would have {len(pairs)} images and no target: choose another --seed or '
                '--val, or a finer --group.'
            )
    try:
        for name, pairs in split.items():
            for kind, files in zip(('images', 'labels'), zip(*pairs, strict=True), strict=True):
                (output / name / kind).mkdir(parents=True)
                for file in files:
                    shutil.copyfile(file, output / name / kind / file.name)
    except BaseException:
        for name in split:  # half a set must not stand for one
            shutil.rmtree(output / name, ignore_errors=True)
        raise
    return {name: len(pairs) for name, pairs in split.items()}


def _sequences(pairs: list[Pair], group: str) -> dict[str, list[Pair]]:
    """Return the pairs of every sequence by its name."""
    sequences: dict[str, list[Pair]] = defaultdict(list)
    try:
        pattern = re.compile(group or '(.*)')
    except re.error as error:
        raise ConfigurationError(f'--group {group!r} is no regular expression: {error}') from error
    if not pattern.groups:
        raise ConfigurationError(f'--group {group!r} has no group in brackets, as "(.*)_[0-9]+".')
    for pair in pairs:
        match = pattern.match(pair[0].stem)
        if match is None or match[1] is None:
            raise ConfigurationError(f'--group {group!r} does not match {pair[0].name}.')
        sequences[match[1]].append(pair)
    return sequences
