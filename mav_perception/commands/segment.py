"""Run a network over an image, a folder or a video: masks, overlays and a CSV of detections.

Example: mav-perception segment ../shared/datasets/perch_drone/val/images --model drone
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('source', type=Path, metavar='DIR|VIDEO|IMAGE')
    parser.add_argument(
        '--model', default='drone', help='model name or .onnx file (default drone)'
    )
    parser.add_argument(
        '--output', type=Path, default=Path('segment_output'), help='folder for the results'
    )
    parser.add_argument('--threads', type=int, default=2, help='CPU threads')
    parser.add_argument(
        '--smallest-area', type=int, default=20, help='smallest blob in the CSV, pixels'
    )


def run(arguments: argparse.Namespace) -> int:
    """Segment everything; unreadable images are reported and skipped, with exit code 1."""
    import cv2
    from tqdm import tqdm

    from mav_perception.detection.blobs import find_detections
    from mav_perception.io.images import ImageSource
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(arguments.model, arguments.threads)
    source = ImageSource(arguments.source)
    space = segmenter.card.label_space
    for name in ('masks', 'overlays'):
        (arguments.output / name).mkdir(parents=True, exist_ok=True)
    print(f'{len(source)} images, model {segmenter.description}')
    blobs = 0
    with (arguments.output / 'detections.csv').open('w', newline='') as stream:
        table = csv.writer(stream)
        table.writerow(
            [
                'image',
                'class',
                'column',
                'row',
                'left',
                'top',
                'width',
                'height',
                'area',
                'score',
                'cut',
            ]
        )
        progress = tqdm(source, total=len(source), disable=not sys.stderr.isatty())
        for item in progress:
            mask = segmenter.segment(item.image)
            overlay = space.overlay(item.image, mask.labels)
            cv2.imwrite(str(arguments.output / 'masks' / f'{item.name}.png'), mask.labels)
            cv2.imwrite(
                str(arguments.output / 'overlays' / f'{item.name}.jpg'),
                cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR),
            )
            for target in range(1, space.size):
                for blob in find_detections(mask, target, arguments.smallest_area):
                    column, row = (round(float(v), 2) for v in blob.centroid)
                    table.writerow(
                        [
                            item.name,
                            space.names[target],
                            column,
                            row,
                            *blob.box,
                            blob.area,
                            round(blob.score, 3),
                            int(blob.cut),
                        ]
                    )
                    blobs += 1
    print(f'{blobs} detections: {arguments.output / "detections.csv"}, masks/ and overlays/')
    for problem in source.broken:
        print(f'left out: {problem}', file=sys.stderr)
    return int(bool(source.broken))
