"""Look at labelled images before you train on them.

`check` reads every image and label of a folder, or of its splits `train`, `val` and `test`: sizes,
classes, targets, unreadable files, images without a label, the same image twice.

Example:
  mav-perception dataset check ../shared/datasets/perch_drone --labels drone
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mav_perception.datasets.folder_check import FolderReport
    from mav_perception.segmentation.labels import LabelSpace

SPLITS = ('train', 'val', 'test')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from mav_perception.segmentation.labels import LABEL_SPACES

    subjects = parser.add_subparsers(dest='subject', required=True, metavar='WHAT')
    check = subjects.add_parser('check', help='read all images and labels, and say what is wrong')
    check.add_argument(
        'folder', type=Path, metavar='DIR', help='with images/ and labels/, or splits'
    )
    check.add_argument(
        '--labels', default='drone', choices=list(LABEL_SPACES), help='which class id means what'
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what is in the folder; 1 if anything has to be mended."""
    from mav_perception.datasets.folder_check import check_folder, shared_images
    from mav_perception.segmentation.labels import label_space

    space = label_space(arguments.labels)
    splits = [arguments.folder / name for name in SPLITS]
    folders = [path for path in splits if path.is_dir()] or [arguments.folder]
    reports = [check_folder(folder, space) for folder in folders]
    for report in reports:
        _print(report, space)
    problems = [line for report in reports for line in report.problems]
    problems += shared_images(reports)
    for line in problems:
        print(f'problem: {line}')
    print(f'to mend: {len(problems)}' if problems else 'nothing to mend')
    return int(bool(problems))


def _print(report: FolderReport, space: LabelSpace) -> None:
    sizes = ', '.join(
        f'{count} of {width}x{height}' for (width, height), count in report.sizes.most_common(4)
    )
    print(f'{report.folder}: {report.images} images, {sizes}')
    known = max(int(report.pixels.sum()), 1)
    for index, name in enumerate(space.names):
        print(
            f'  {index} {name:12} {100 * report.pixels[index] / known:6.2f} % of the pixels, in '
            f'{report.images_with[index]} images, {report.regions[index]} regions'
        )
    print(f'  {100 * report.unknown:.2f} % of the pixels are unknown')
