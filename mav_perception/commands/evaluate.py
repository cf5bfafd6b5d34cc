"""Measure a model on labelled images, trajectories against the truth, or whole runs.

Examples:
  mav-perception evaluate segmentation --model drone --data ../shared/datasets/perch_drone/val
  mav-perception evaluate trajectories --truth mav1.truth.tum --estimate mav1.estimate.tum
  mav-perception evaluate run demo_output/run --report report.html
  mav-perception evaluate compare try1 try2 --report compare.html
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mav_perception.commands.progress import labelled_samples
from mav_perception.errors import ConfigurationError
from mav_perception.io.files import write_json

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
    segmentation.add_argument(
        '--backgrounds', type=Path, metavar='DIR', help='images without a target, from elsewhere'
    )
    segmentation.add_argument(
        '--operating-curve',
        type=Path,
        metavar='FILE.png',
        help='P_D against false blobs over the score: print it, and draw it there',
    )
    trajectories = kinds.add_parser('trajectories', help='TUM files against the truth: ATE, RPE')
    trajectories.add_argument('--truth', type=Path, nargs='+', required=True, metavar='TUM')
    trajectories.add_argument('--estimate', type=Path, nargs='+', required=True, metavar='TUM')
    trajectories.add_argument(
        '--in-map', action='store_true', help='do not align: both are in one frame'
    )
    whole = kinds.add_parser('run', help='the folder of a demo, replay or monitored flight')
    whole.add_argument('folder', type=Path, metavar='DIR')
    whole.add_argument(
        '--sensor-model',
        type=Path,
        metavar='FILE',
        help='show the curves of this one too, with its checks beside it',
    )
    compare = kinds.add_parser('compare', help='folders of runs side by side')
    compare.add_argument('folders', type=Path, nargs='+', metavar='DIR')
    for parser_of_kind in (trajectories, whole, compare):
        parser_of_kind.add_argument(
            '--report', type=Path, metavar='OUT.html', help='write one self-contained page'
        )


def run(arguments: argparse.Namespace) -> int:
    """Measure, print and write."""
    if arguments.kind == 'segmentation':
        return _segmentation(arguments)
    if arguments.kind == 'compare':
        return _compare(arguments)
    return _trajectories(arguments) if arguments.kind == 'trajectories' else _run(arguments)


def _trajectories(arguments: argparse.Namespace) -> int:
    from mav_perception.evaluation.metrics.ate_rpe import trajectory_error
    from mav_perception.io.tum import load_tum

    if len(arguments.truth) != len(arguments.estimate):
        raise ConfigurationError('Give --truth and --estimate the same number of files, in order.')
    rows = []
    for truth, estimate in zip(arguments.truth, arguments.estimate, strict=True):
        error = trajectory_error(load_tum(truth), load_tum(estimate), not arguments.in_map)
        rows.append([str(estimate), f'{error.ate:.4f}', f'{error.rpe:.4f}'])
        rows[-1] += [f'{error.rpe_degrees:.3f}', str(len(error.errors))]
    head = ['estimate', 'ATE [m]', 'RPE [m]', 'RPE [deg]', 'poses']
    for row in (head, *rows):
        print(f'{row[0]:40} {row[1]:>9} {row[2]:>9} {row[3]:>10} {row[4]:>7}')
    if arguments.report:
        from mav_perception.evaluation.report.report import write_page

        write_page('Trajectories against the truth', [(head, rows)], arguments.report)
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from mav_perception.evaluation.report.report import drone_rows, write_report
    from mav_perception.evaluation.report.run_record import load_run

    if arguments.sensor_model and not arguments.report:
        raise ConfigurationError('--sensor-model is drawn on the page: give --report too.')
    record = load_run(arguments.folder)
    print(record.title)
    for row in drone_rows(record):
        print(''.join(f'{cell:>16}' for cell in row))
    if arguments.report:
        write_report(record, arguments.report, arguments.sensor_model, arguments.folder)
        print(f'written: {arguments.report}')
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from mav_perception.evaluation.report.report import comparison_table, write_comparison
    from mav_perception.evaluation.report.run_record import load_run

    records = [(str(folder), load_run(folder)) for folder in arguments.folders]
    head, rows = comparison_table(records)
    width = max(len(row[0]) for row in rows)
    print(f'{"":{width}} ' + ' '.join(f'{name[-24:]:>24}' for name in head[1:]))
    for row in rows:
        print(f'{row[0]:{width}} ' + ' '.join(f'{cell[:24]:>24}' for cell in row[1:]))
    if arguments.report:
        write_comparison(records, arguments.report)
        print(f'written: {arguments.report}')
    return 0


def _segmentation(arguments: argparse.Namespace) -> int:
    from mav_perception.evaluation.metrics.model_evaluation import measure
    from mav_perception.io.labelled_images import labelled_pairs
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(arguments.model, arguments.threads, arguments.backend)
    classes = segmenter.card.label_space.size
    count = len(labelled_pairs(arguments.data))
    figures = measure(segmenter, labelled_samples(arguments.data, classes, 'measuring'))
    print(f'{segmenter.description} on {count} images of {arguments.data}')
    if arguments.robustness:
        figures['robustness'] = _robustness(segmenter, arguments.data)
    if arguments.reliability:
        figures['ece'] = _reliability(segmenter, arguments.data, arguments.reliability)
    if arguments.operating_curve or arguments.backgrounds:
        figures['operating_curve'] = _operating_curve(segmenter, arguments)
    for name, value in figures.items():
        if name != 'operating_curve':
            print(f'  {name}: {value}')
    if arguments.json:
        write_json(arguments.json, figures)
    return 0


def _operating_curve(
    segmenter: Segmenter, arguments: argparse.Namespace
) -> list[dict[str, float]]:
    """Print and return P_D and false blobs over the score; draw them if asked to."""
    from mav_perception.evaluation.metrics.operating_point import backgrounds, operating_curve
    from mav_perception.evaluation.report.plots import draw_operating_curve

    samples = labelled_samples(arguments.data, segmenter.card.label_space.size, 'scores')
    elsewhere = backgrounds(arguments.backgrounds) if arguments.backgrounds else []
    curve = operating_curve(segmenter, samples, elsewhere)
    rows = [curve.at(gate) for gate in curve.min_score]
    chosen = (segmenter.card.min_score, curve.operating_point())
    for row in rows[::5] + [curve.at(gate) for gate in chosen]:
        print('  ' + ', '.join(f'{name} {value:.3f}' for name, value in row.items()))
    print(f'  the last two: as the card says ({chosen[0]:.2f}), as it would be chosen here')
    if arguments.operating_curve:
        draw_operating_curve(curve, segmenter.card.name, arguments.operating_curve)
    return rows


def _robustness(segmenter: Segmenter, data: Path) -> dict[str, Any]:
    """Return IoU per class under every disturbance."""
    from mav_perception.evaluation.metrics.corruptions import CORRUPTIONS, corrupted
    from mav_perception.evaluation.metrics.model_evaluation import measure

    classes = segmenter.card.label_space.size
    return {
        name: measure(segmenter, corrupted(labelled_samples(data, classes, name), name))['iou']
        for name in CORRUPTIONS
    }


def _reliability(segmenter: Segmenter, data: Path, picture: Path) -> float:
    """Draw the curve and return the expected calibration error."""
    from mav_perception.evaluation.metrics.confidence_calibration import reliability, sample_pixels
    from mav_perception.evaluation.report.plots import draw_reliability

    pixels = sample_pixels(
        segmenter, labelled_samples(data, segmenter.card.label_space.size, 'reliability')
    )
    curve = reliability(pixels, segmenter.card.temperature)
    draw_reliability(curve, segmenter.card.name, picture)
    return round(curve.error, 4)
