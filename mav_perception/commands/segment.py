"""Run a network over images, folders, videos, a camera: masks, overlays and a CSV of detections.

Examples:
  mav-perception segment ../shared/datasets/perch_drone/val/images --model drone
  mav-perception segment 'flights/*/front.mp4' --model drone --output flights/masks
  mav-perception segment 0 --show
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mav_perception.commands.command_parser import at_least, share
from mav_perception.errors import ConfigurationError

if TYPE_CHECKING:
    from mav_perception.segmentation.labels import LabelSpace
    from mav_perception.types import ByteImage, LabelMask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        'sources',
        nargs='+',
        metavar='SOURCE',
        help='images, folders, patterns, videos, the number of a camera, rtsp://...',
    )
    parser.add_argument(
        '--model', default='drone', help='model name or .onnx file (default drone)'
    )
    parser.add_argument(
        '--output', type=Path, default=Path('segment_output'), help='folder for the results'
    )
    parser.add_argument(
        '--show', action='store_true', help='open a window with the overlays; q ends'
    )
    parser.add_argument('--threads', type=at_least(1), default=2, help='CPU threads')
    parser.add_argument(
        '--smallest-area', type=at_least(0), default=20, help='smallest blob in the CSV, pixels'
    )
    parser.add_argument(
        '--min-score',
        type=share,
        help='least mean confidence of a blob in the CSV (default: that of the model card)',
    )


COLUMNS = (
    'image', 'class', 'column', 'row', 'left', 'top', 'width', 'height', 'area', 'score', 'cut',
)  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Segment everything; unreadable images are reported and skipped, with exit code 1."""
    from tqdm import tqdm

    from mav_perception.io.image_sources import ImageSources
    from mav_perception.io.images import write_image
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(arguments.model, arguments.threads)
    source = ImageSources(arguments.sources)
    space = segmenter.card.label_space
    given = arguments.min_score
    min_score = segmenter.card.min_score if given is None else given
    for name in ('masks', 'overlays'):
        (arguments.output / name).mkdir(parents=True, exist_ok=True)
    print(f'{source.length or "unknown number of"} images, model {segmenter.description}')
    blobs = 0
    with (arguments.output / 'detections.csv').open('w', newline='') as stream:
        table = csv.writer(stream)
        table.writerow(COLUMNS)
        for item in tqdm(source, total=source.length, disable=not sys.stderr.isatty()):
            mask = segmenter.segment(item.image)
            overlay = space.overlay(item.image, mask.labels)
            write_image(arguments.output / 'masks' / f'{item.name}.png', mask.labels)
            write_image(arguments.output / 'overlays' / f'{item.name}.jpg', overlay)
            rows = [
                (item.name, *row)
                for row in blob_rows(mask, space, arguments.smallest_area, min_score)
            ]
            table.writerows(rows)
            blobs += len(rows)
            if arguments.show and not show(overlay):
                break
    print(f'{blobs} detections: {arguments.output / "detections.csv"}, masks/ and overlays/')
    for notice in source.notices:
        print(notice, file=sys.stderr)
    for problem in source.broken:
        print(f'left out: {problem}', file=sys.stderr)
    return int(bool(source.broken))


def show(overlay: ByteImage) -> bool:
    """Show a picture in a window; False if the user wants no more.

    Raises:
        ConfigurationError: there is no display, or this OpenCV opens no windows.
    """
    import cv2

    try:
        cv2.imshow('mav-perception segment', cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR))
        return cv2.waitKey(1) != ord('q')
    except cv2.error as error:
        raise ConfigurationError(
            '--show needs a display, and `pip install opencv-python` in place of '
            'opencv-python-headless.'
        ) from error


def blob_rows(
    mask: LabelMask, space: LabelSpace, smallest_area: int, min_score: float
) -> Iterator[tuple[Any, ...]]:
    """Yield `COLUMNS` but the first of every blob of a target class."""
    from mav_perception.detection.blobs import find_detections

    for target in range(1, space.size):
        for blob in find_detections(mask, target, smallest_area, min_score):
            column, row = (round(float(v), 2) for v in blob.centroid)
            where = (space.names[target], column, row, *blob.box)
            yield *where, blob.area, round(blob.score, 3), int(blob.cut)
