"""Turn a checkpoint of `train` into a model: NAME.onnx and its card NAME.yaml.

With --data the model is calibrated and measured on labelled images and the figures go into the
card; with --rendered on images of the embedded simulator. With --backgrounds the operating point
is chosen: the least score of a blob that counts, from now on everywhere. --int8 and --float16
write a smaller twin beside it, and refuse it if it loses 0.01 of mean IoU or more.

Example: mav-perception export runs/drone/best.pt --data ../shared/datasets/perch_drone/val
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mav_perception.commands.command_parser import at_least
from mav_perception.commands.progress import labelled_samples
from mav_perception.errors import ModelError
from mav_perception.io.files import restored_on_failure
from mav_perception.segmentation.model_card import ModelCard

if TYPE_CHECKING:
    from mav_perception.types import ByteImage

    Samples = Callable[[], Iterable[tuple[ByteImage, ByteImage]]]

MAX_LOSS = 0.01

TWINS = ('', '_int8', '_float16')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('checkpoint', type=Path, metavar='CHECKPOINT.pt')
    parser.add_argument('--models', type=Path, default=Path('models'), help='folder to write to')
    measured = parser.add_mutually_exclusive_group()
    measured.add_argument('--data', type=Path, help='folder with images/ and labels/')
    measured.add_argument(
        '--rendered', type=at_least(1), metavar='N', help='measure on N rendered images'
    )
    parser.add_argument(
        '--int8', type=Path, metavar='TRAIN', help='also in int8, calibrated there'
    )
    parser.add_argument(
        '--backgrounds', type=Path, metavar='DIR', help='images without a target, from elsewhere'
    )
    parser.add_argument('--look', default='', help='model in that folder that refines far targets')
    parser.add_argument(
        '--magnification',
        type=float,
        default=ModelCard.look_magnification,
        metavar='M',
        help='how much larger the look sees them than the network itself (%(default)s)',
    )
    parser.add_argument(
        '--size',
        type=at_least(1),
        nargs=2,
        metavar=('ROWS', 'COLUMNS'),
        help='of the network input, if others than those of the training are better; twice as '
        'large a one needs half the magnification',
    )
    parser.add_argument('--float16', action='store_true', help='also in float16')
    parser.add_argument('--keep-checkpoint', action='store_true', help='copy it for torch')


def run(arguments: argparse.Namespace) -> int:
    """Export, calibrate, measure the exported file itself, and write the figures into its card."""
    from mav_perception.training.export import load_checkpoint

    if not (arguments.data or arguments.rendered) and (
        arguments.int8 or arguments.float16 or arguments.backgrounds
    ):
        raise ModelError(
            '--int8, --float16 and --backgrounds need --data or --rendered to compare on.'
        )
    name = load_checkpoint(arguments.checkpoint)[1].name
    files = [
        arguments.models / f'{name}{twin}.{kind}'
        for twin in TWINS
        for kind in ('onnx', 'yaml', 'pt')
    ]
    with restored_on_failure(*files):
        for file in files:  # twins of other weights must not stand beside these
            file.unlink(missing_ok=True)
        _export(arguments)
    return 0


def _export(arguments: argparse.Namespace) -> None:
    from mav_perception.evaluation.metrics.model_evaluation import rendered_samples
    from mav_perception.evaluation.metrics.operating_point import backgrounds
    from mav_perception.training.export import export_checkpoint, halve, quantise

    elsewhere = backgrounds(arguments.backgrounds) if arguments.backgrounds else []
    look = {'look': arguments.look, 'magnification': arguments.magnification}
    card = export_checkpoint(arguments.checkpoint, arguments.models, **look, size=arguments.size)
    path = arguments.models / f'{card.name}.onnx'
    if arguments.keep_checkpoint:
        shutil.copy(arguments.checkpoint, path.with_suffix('.pt'))
    if not (arguments.data or arguments.rendered):
        print(f'{path}: {card.network}, {card.parameters} parameters, not measured')
        return
    name = str(arguments.data or 'rendered images')

    def samples() -> Iterable[tuple[ByteImage, ByteImage]]:
        if arguments.data:
            return labelled_samples(arguments.data, card.label_space.size, 'measuring')
        return rendered_samples(arguments.rendered)

    _calibrate(path, samples)
    if elsewhere:
        _choose_operating_point(path, samples, arguments.backgrounds, elsewhere)
    figures = _measured(path, name, samples)
    if arguments.int8:
        shown = labelled_samples(arguments.int8, card.label_space.size, 'calibrating')
        quantise(path, (image for image, _ in shown))
        _compared(path.with_stem(f'{path.stem}_int8'), name, samples, figures)
    if arguments.float16:
        halve(path)
        _compared(path.with_stem(f'{path.stem}_float16'), name, samples, figures)


def _calibrate(path: Path, samples: Samples) -> None:
    """Make the confidences true; the card says by how much they are wrong before and after."""
    from mav_perception.evaluation.metrics.confidence_calibration import (
        fit_temperature,
        reliability,
        sample_pixels,
    )
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(str(path), backend='onnxruntime')
    pixels = sample_pixels(segmenter, samples())
    temperature = fit_temperature(pixels)
    figures = {
        'ece_uncalibrated': round(reliability(pixels, 1.0).error, 4),
        'ece': round(reliability(pixels, temperature).error, 4),
    }
    card = replace(segmenter.card, temperature=round(temperature, 4), figures=figures)
    card.save(path.with_suffix('.yaml'))


def _choose_operating_point(
    path: Path, samples: Samples, folder: Path, elsewhere: list[ByteImage]
) -> None:
    """Choose the least score of a blob that counts, and say what it costs and spares."""
    from mav_perception.evaluation.metrics.operating_point import operating_curve
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(str(path), backend='onnxruntime')
    if segmenter.card.label_space.size != 2:
        raise ModelError('--backgrounds chooses the operating point of one class, not of several.')
    curve = operating_curve(segmenter, samples(), elsewhere)
    chosen = curve.at(curve.operating_point())
    card = segmenter.card
    measured = {'backgrounds': str(folder), 'false_elsewhere': chosen['false_elsewhere']}
    card = replace(card, min_score=chosen['min_score'], figures=card.figures | measured)
    card.save(path.with_suffix('.yaml'))
    print(f'{path}: without an operating point {curve.at(0.0)}, with it {chosen}')


def _measured(path: Path, name: str, samples: Samples) -> dict[str, Any]:
    """Measure a model file and write what it reached into its card."""
    from mav_perception.evaluation.metrics.model_evaluation import measure
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(str(path), backend='onnxruntime')
    card = segmenter.card
    figures = {'measured_on': name, **measure(segmenter, samples()), **card.figures}
    replace(card, figures=figures).save(path.with_suffix('.yaml'))
    size = path.stat().st_size / 1e6
    print(f'{path}: {card.network}, {card.parameters} parameters, {size:.2f} MB; {figures}')
    return figures


def _compared(path: Path, name: str, samples: Samples, figures: dict[str, Any]) -> None:
    """Measure a lesser twin and take it back if it lost too much."""
    loss = figures['mean_iou'] - _measured(path, name, samples)['mean_iou']
    if loss >= MAX_LOSS:
        for file in (path, path.with_suffix('.yaml')):
            file.unlink()
        raise ModelError(
            f'{path.stem} loses {loss:.3f} of mean IoU, more than {MAX_LOSS}: not written. '
            'Stay with float32, or give --int8 more varied images.'
        )
