"""Measure a model on labelled images: IoU, and its blobs as detections.

Example:
  mav-perception evaluate segmentation --model drone --data ../shared/datasets/perch_drone/val
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    kinds = parser.add_subparsers(dest='kind', required=True, metavar='WHAT')
    segmentation = kinds.add_parser('segmentation', help='a model on images/ and labels/')
    segmentation.add_argument('--model', required=True, help='model name or .onnx file')
    segmentation.add_argument('--data', type=Path, required=True, help='has images/ and labels/')
    segmentation.add_argument('--json', type=Path, metavar='FILE', help='write the figures there')


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write."""
    from tqdm import tqdm

    from mav_perception.evaluation.measuring import folder_samples, labelled_pairs, measure
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(arguments.model)
    count = len(labelled_pairs(arguments.data))
    progress = tqdm(
        folder_samples(arguments.data), total=count, disable=not sys.stderr.isatty(), leave=False
    )
    figures = measure(segmenter, progress)
    print(f'{segmenter.description} on {count} images of {arguments.data}')
    for name, value in figures.items():
        print(f'  {name}: {value}')
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + '\n')
    return 0
