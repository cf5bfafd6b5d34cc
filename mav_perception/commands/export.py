"""Turn a checkpoint of `train` into a model: NAME.onnx and its card NAME.yaml.

With --data the model is measured on labelled images and the figures go into the card; with
--rendered it is measured on images of the embedded simulator.

Example: mav-perception export runs/drone/best.pt --data ../shared/datasets/perch_drone/val
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('checkpoint', type=Path, metavar='CHECKPOINT.pt')
    parser.add_argument('--models', type=Path, default=Path('models'), help='folder to write to')
    measured = parser.add_mutually_exclusive_group()
    measured.add_argument('--data', type=Path, help='folder with images/ and labels/')
    measured.add_argument('--rendered', type=int, metavar='N', help='measure on N rendered images')


def run(arguments: argparse.Namespace) -> int:
    """Export, measure the exported file itself, and write the figures into its card."""
    from mav_perception.evaluation.measuring import folder_samples, measure, rendered_samples
    from mav_perception.segmentation.export import export_checkpoint
    from mav_perception.segmentation.segmenter import Segmenter

    card = export_checkpoint(arguments.checkpoint, arguments.models)
    path = arguments.models / f'{card.name}.onnx'
    if arguments.data or arguments.rendered:
        segmenter = Segmenter.load(str(path))
        if arguments.data:
            name, samples = str(arguments.data), folder_samples(arguments.data)
        else:
            name, samples = 'rendered images', rendered_samples(arguments.rendered)
        figures = measure(segmenter, samples)
        card = card.with_figures({'measured_on': name, **figures})
        card.save(path.with_suffix('.yaml'))
        print(f'measured on {name}: {figures}')
    size = path.stat().st_size / 1e6
    print(f'{path}: {card.network}, {card.parameters} parameters, {size:.2f} MB')
    return 0
