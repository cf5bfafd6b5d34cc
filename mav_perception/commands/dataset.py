"""Make a data set of your labels, and look at it before you train.

`fetch` says where public data comes from, and checks and lays out what you downloaded; `import`
reads what a labelling tool wrote, `split` makes training and validation of it, `check`
reads every image and label: sizes, classes, targets, unreadable files, images without a label, the
same image twice.

Examples:
  mav-perception dataset import coco annotations.json mine/all --map quadrotor=drone
  mav-perception dataset split mine/all mine --group '(flight[0-9]+)_.*'
  mav-perception dataset check mine
  mav-perception dataset fetch mrclam ~/Downloads/MRCLAM_Dataset6 datasets/mrclam6
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mav_perception.commands.command_parser import at_least
from mav_perception.errors import ConfigurationError

if TYPE_CHECKING:
    from mav_perception.datasets.folder_check import FolderReport
    from mav_perception.segmentation.labels import LabelSpace

SPLITS = ('train', 'val', 'test')

FORMATS = ('labelme', 'coco', 'voc', 'cvat', 'yolo-seg', 'masks')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from mav_perception.datasets.public_sets import PUBLIC_SETS
    from mav_perception.segmentation.labels import LABEL_SPACES

    subjects = parser.add_subparsers(dest='subject', required=True, metavar='WHAT')
    check = subjects.add_parser('check', help='read all images and labels, and say what is wrong')
    check.add_argument(
        'folder', type=Path, metavar='DIR', help='with images/ and labels/, or splits'
    )
    taken = subjects.add_parser('import', help='labels of a tool -> images/ and labels/')
    taken.add_argument('format', choices=FORMATS, help='what the tool wrote')
    taken.add_argument('source', type=Path, metavar='SRC', help='file or folder of the tool')
    taken.add_argument('output', type=Path, metavar='OUT', help='new folder')
    taken.add_argument(
        '--map',
        nargs='+',
        default=[],
        metavar='NAME=CLASS',
        help='what the tool calls it = class or "unknown", with spaces between; names that are '
        'classes need none',
    )
    taken.add_argument(
        '--empty',
        action='store_true',
        help='images for which labelme has written no file show no target',
    )
    split = subjects.add_parser('split', help='images/ and labels/ -> train/ and val/')
    split.add_argument('source', type=Path, metavar='SRC')
    split.add_argument('output', type=Path, metavar='OUT', help='gets train/ and val/')
    split.add_argument('--val', type=float, default=0.2, help='share of the images (default 0.2)')
    split.add_argument(
        '--group',
        default='',
        metavar='REGEX',
        help='its first bracket is the sequence in the name of an image; sequences stay whole',
    )
    split.add_argument('--seed', type=at_least(0), default=0)
    fetched = subjects.add_parser('fetch', help='where a public set comes from; check a download')
    fetched.add_argument('name', choices=list(PUBLIC_SETS), metavar='NAME')
    fetched.add_argument('source', type=Path, nargs='?', metavar='SRC', help='what you downloaded')
    fetched.add_argument('output', type=Path, nargs='?', metavar='OUT', help='new folder for it')
    for parser_of_subject in (check, taken, split):
        parser_of_subject.add_argument(
            '--labels',
            default='drone',
            choices=list(LABEL_SPACES),
            help='which class id means what',
        )


def run(arguments: argparse.Namespace) -> int:
    """Import, split, fetch or check."""
    if arguments.subject == 'fetch':
        return _fetch(arguments)
    if arguments.subject == 'import':
        return _import(arguments)
    return _split(arguments) if arguments.subject == 'split' else _check(arguments)


def _import(arguments: argparse.Namespace) -> int:
    from mav_perception.datasets.label_import.convert import import_labels
    from mav_perception.segmentation.labels import label_space

    pairs = [item.partition('=') for item in arguments.map]
    if wrong := [text for text in arguments.map if not re.fullmatch('[^=]+=[^=,]+', text)]:
        raise ConfigurationError(
            f'--map {wrong[0]}: write NAME=CLASS, as quadrotor=drone, with spaces between.'
        )
    imported = import_labels(
        arguments.format,
        arguments.source,
        arguments.output,
        label_space(arguments.labels),
        {name: kind for name, _, kind in pairs},
        arguments.empty,
    )
    for notice in imported.notices:
        print(notice)
    print(f'{imported.images} images: {arguments.output}/images and labels/')
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    """Say where a set comes from, or lay out what was downloaded."""
    from mav_perception.datasets.public_layout import lay_out
    from mav_perception.datasets.public_sets import PUBLIC_SETS

    if arguments.source is None:
        one = PUBLIC_SETS[arguments.name]
        print(one.title)
        print(*(f'  {address}' for address in one.addresses), sep='\n')
        print(f'  terms: {one.terms}')
        print(f'{one.steps} Then: mav-perception dataset fetch {arguments.name} SRC OUT')
        return 0
    if arguments.output is None:
        raise ConfigurationError(f'dataset fetch {arguments.name} SRC needs OUT, a new folder.')
    for line in lay_out(arguments.name, arguments.source, arguments.output):
        print(line)
    print(f'laid out: {arguments.output}')
    return 0


def _split(arguments: argparse.Namespace) -> int:
    from mav_perception.datasets.folder_split import split_folder
    from mav_perception.segmentation.labels import label_space

    counts = split_folder(
        arguments.source,
        arguments.output,
        arguments.val,
        arguments.group,
        arguments.seed,
        label_space(arguments.labels).size,
    )
    for name, count in counts.items():
        print(f'{arguments.output / name}: {count} images')
    return 0


def _check(arguments: argparse.Namespace) -> int:
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
