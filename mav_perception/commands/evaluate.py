"""Measure a model on labelled images: IoU, its blobs as detections, and its calibration.

Example:
  mav-perception evaluate segmentation --model drone --data ../shared/datasets/perch_drone/val
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mav_perception.segmentation.segmenter import Segmenter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    kinds = parser.add_subparsers(dest='kind', required=True, metavar='WHAT')
    segmentation = kinds.add_parser('segmentation', help='a model on images/ and labels/')
    segmentation.add_argument('--model', required=True, help='model name or .onnx file')
    segmentation.add_argument('--data', type=Path, required=True, help='has images/ and labels/')
    segmentation.add_argument('--json', type=Path, metavar='FILE', help='write the figures there')
    segmentation.add_argument('--backend', default='auto', help='auto, onnxruntime, openvino, ...')
    segmentation.add_argument('--threads', type=int, default=2, help='CPU threads')
    segmentation.add_argument(
        '--robustness', action='store_true', help='measure again under blur, noise and the like'
    )
    segmentation.add_argument(
        '--reliability', type=Path, metavar='FILE.png', help='draw the reliability curve'
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write."""
    from tqdm import tqdm

    from mav_perception.evaluation.measuring import folder_samples, labelled_pairs, measure
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(arguments.model, arguments.threads, arguments.backend)
    classes = segmenter.card.label_space.size
    count = len(labelled_pairs(arguments.data))
    progress = tqdm(
        folder_samples(arguments.data, classes),
        total=count,
        disable=not sys.stderr.isatty(),
        leave=False,
    )
    figures = measure(segmenter, progress)
    print(f'{segmenter.description} on {count} images of {arguments.data}')
    if arguments.robustness:
        figures['robustness'] = _robustness(segmenter, arguments.data)
    if arguments.reliability:
        figures['ece'] = _reliability(segmenter, arguments.data, arguments.reliability)
    for name, value in figures.items():
        print(f'  {name}: {value}')
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + '\n')
    return 0


def _robustness(segmenter: Segmenter, data: Path) -> dict[str, Any]:
    """Return IoU per class under every disturbance."""
    from mav_perception.evaluation.measuring import folder_samples, measure
    from mav_perception.evaluation.robustness import DISTURBANCES, disturbed

    classes = segmenter.card.label_space.size
    return {
        name: measure(segmenter, disturbed(folder_samples(data, classes), name))['iou']
        for name in DISTURBANCES
    }


def _reliability(segmenter: Segmenter, data: Path, picture: Path) -> float:
    """Draw the curve and return the expected calibration error."""
    from mav_perception.evaluation.calibration import reliability, sample_pixels
    from mav_perception.evaluation.measuring import folder_samples
    from mav_perception.evaluation.plots import draw_reliability

    pixels = sample_pixels(segmenter, folder_samples(data, segmenter.card.label_space.size))
    curve = reliability(pixels, segmenter.card.temperature)
    draw_reliability(curve, segmenter.card.name, picture)
    return round(curve.error, 4)
