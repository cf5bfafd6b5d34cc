"""Lay a downloaded public data set out as this package reads it, and check it on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from mav_perception.datasets.mrclam import ROBOTS
from mav_perception.datasets.public_sets import compare_with_ours
from mav_perception.errors import DataError
from mav_perception.io.files import written_whole
from mav_perception.io.images import image_files, read_image
from mav_perception.io.tables import read_table
from mav_perception.io.tum import load_tum, save_tum
from mav_perception.segmentation.labels import UNKNOWN

EUROC_FLIGHTS = ('MH_01', 'MH_03', 'MH_05')
VIO = ('mono', 'stereo')
IMAGE_FOLDERS, MASK_FOLDERS = ('images', 'Images'), ('labels', 'Segmentations', 'masks')


def lay_out(name: str, source: Path, output: Path) -> list[str]:
    """Copy what is needed of a downloaded set into a new folder; return what was found.

    Args:
        name: a key of `PUBLIC_SETS`.
        source: where the user unpacked it.
        output: new folder.

    Raises:
        DataError: something is missing or broken; then nothing is left in the new folder.
    """
    if output.exists() and any(output.iterdir()):
        raise DataError(f'{output} is not empty: give a new folder.')
    if not source.is_dir():
        raise DataError(f'{source} is no folder: give the one of the download.')
    made = not output.exists()
    output.mkdir(parents=True, exist_ok=True)
    try:
        return LAYOUTS[name](source, output)
    except BaseException:
        shutil.rmtree(output, ignore_errors=True)
        if not made:
            output.mkdir()
        raise


def _mrclam(source: Path, output: Path) -> list[str]:
    folder = _folder_of(source, 'Barcodes.dat*')
    names = ['Barcodes', 'Landmark_Groundtruth']
    kinds = ('Odometry', 'Measurement', 'Groundtruth')
    names += [f'Robot{k}_{kind}' for k in range(1, ROBOTS + 1) for kind in kinds]
    rows = 0
    for name in names:
        path, table = read_table(folder, name, 'dat', 'unpack the whole archive.')
        rows += len(table)
        with written_whole(output / path.name) as part:
            shutil.copyfile(path, part)
    return [f'{len(names)} tables, {rows} rows', _verdict('mrclam6/', output, 'dat', 'set 6')]


def _euroc(source: Path, output: Path) -> list[str]:
    converted = set()
    for flight in EUROC_FLIGHTS:
        truth = _one_of(source, f'{flight}_*.txt', f'{flight}*/**/state_groundtruth*/data.csv')
        files = {'truth': truth}
        for kind in VIO:
            pattern = f'*vio_{kind}_{flight}/stamped_traj_estimate.txt'
            files[f'vio_{kind}'] = _one_of(source, pattern)
        for what, file in files.items():
            with written_whole(output / f'{flight}_{what}.tum') as part:
                if file.suffix == '.csv':
                    save_tum(load_tum(file), part)
                    converted.add(f'{flight}_{what}')
                else:
                    shutil.copyfile(file, part)
    found = f'{len(EUROC_FLIGHTS)} flights with true path and VIO'
    return [found, _verdict('euroc/', output, 'tum', 'these flights', converted)]


def _perch_drone(source: Path, output: Path) -> list[str]:
    said = []
    for images in sorted(p for p in source.rglob('*') if p.is_dir() and p.name in IMAGE_FOLDERS):
        beside = (images.parent / name for name in MASK_FOLDERS)
        masks = next((folder for folder in beside if folder.is_dir()), None)
        pairs = _pairs(images, masks) if masks is not None else []
        if not pairs:
            continue
        name = images.parent.relative_to(source)
        for image, mask in pairs:
            values = set(np.unique(read_image(mask)).tolist())
            if not values <= {0, 1, UNKNOWN}:
                raise DataError(
                    f'{mask} has values {sorted(values)[:6]}: it is a mask of colours, not of '
                    'classes. Use `dataset import masks` on its folder.'
                )
            for file, kind in ((image, 'images'), (mask, 'labels')):
                (output / name / kind).mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, output / name / kind / file.name)
        said.append(f'{output / name}: {len(pairs)} labelled images')
    if not said:
        raise DataError(f'{source} has no folder `images` beside one of masks: wrong folder?')
    return said


def _pairs(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Return images with their masks of the same name."""
    of_stem = {path.stem: path for path in masks.iterdir() if path.suffix.lower() == '.png'}
    return [(path, of_stem[path.stem]) for path in image_files(images) if path.stem in of_stem]


def _folder_of(source: Path, pattern: str) -> Path:
    """Return the only folder below that has a file of this name."""
    folders = sorted({path.parent for path in source.rglob(pattern)})
    if len(folders) != 1:
        what = 'no' if not folders else f'{len(folders)} folders with'
        raise DataError(f'{source} has {what} {pattern}: give the folder of one data set.')
    return folders[0]


def _one_of(source: Path, *patterns: str) -> Path:
    """Return the first file of the first pattern that has any."""
    for pattern in patterns:
        if found := sorted(source.rglob(pattern)):
            return found[0]
    raise DataError(f'{source} has no {" or ".join(patterns)}: see `dataset fetch euroc`.')


def _verdict(
    prefix: str, folder: Path, suffix: str, what: str, converted: Collection[str] = ()
) -> str:
    """Return whether the tables are those of our figures; a few others among them are broken.

    Those that were converted have stamps of more digits, and are not held against ours.
    """
    same, other = compare_with_ours(prefix, folder, suffix)
    other = [name for name in other if name not in converted]
    if not other:
        return f'all numbers are those of {what} that our figures used'
    if len(same) < len(other):
        return f'other numbers than {what} that our figures used'
    raise DataError(f'{", ".join(other)}: not the numbers of {what}. Download again.')


LAYOUTS: dict[str, Callable[[Path, Path], list[str]]] = {
    'mrclam': _mrclam,
    'euroc': _euroc,
    'perch_drone': _perch_drone,
}
