"""Learn the sensor model of a network from labelled images, real or of simulated flights.

Writes a ROS parameter file for camera_node, detection_node and localization_node, and the
statistics from which `benchmark localization --sensor-model FILE` draws its sightings. Fitted on
every second image or camera, and checked on the others: normalised innovations must be chi-square.

Examples:
  mav-perception fit-sensor-model --boxes results.json --data labels.json --camera mav1.yaml
  mav-perception fit-sensor-model --model drone --data ../shared/datasets/perch_drone/val
  mav-perception fit-sensor-model --model sim --flights 8 --output sensor_model.yaml
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mav_perception.commands.command_parser import at_least, share
from mav_perception.commands.progress import labelled_samples
from mav_perception.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from mav_perception.cameras.models import PinholeCamera
    from mav_perception.evaluation.sensor_model.target_observations import (
        LabelledView,
        TargetObservations,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--model', help='name or path of the network')
    what.add_argument(
        '--boxes', type=Path, metavar='FOUND',
        help='what a detector of boxes found: COCO results, or a folder of YOLO text files; '
        '--data has the labels in the same format',
    )  # fmt: skip
    parser.add_argument(
        '--min-score', type=share, default=0.0, help='least score of a box (default 0)'
    )
    parser.add_argument(
        '--box-class', default='', metavar='CLASS',
        help='class of the drones among what the detector found: its number or, in COCO, its '
        'name (default: all boxes)',
    )  # fmt: skip
    parser.add_argument(
        '--label-class', default='', metavar='CLASS', help='the same among the labels of boxes'
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        '--data', type=Path, help='folder with images/ and labels/, or labels of boxes'
    )
    source.add_argument(
        '--flights', type=at_least(1), metavar='N', help='N simulated flights with truth'
    )
    parser.add_argument('--camera', type=Path, help='calibration of the images in --data')
    parser.add_argument(
        '--target-width', type=float, default=math.nan, help='metres; fitted if not given'
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('sensor_model.yaml'),
        help='the checks go beside it, as .json (default sensor_model.yaml)',
    )
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--plot', type=Path, metavar='FILE', help='draw the checks there')


def run(arguments: argparse.Namespace) -> int:
    """Segment, fit, check, write."""
    from dataclasses import asdict, replace

    from mav_perception.evaluation.sensor_model.sensor_model import fit_sensor_model
    from mav_perception.evaluation.sensor_model.sensor_report import figures, plot_model
    from mav_perception.evaluation.sensor_model.time_correlation import with_time_correlation
    from mav_perception.io.files import write_json

    if arguments.output.suffix == '.json':
        raise ConfigurationError('--output is a YAML file; the checks go beside it, as .json.')
    views, camera, min_score = _boxes(arguments) if arguments.boxes else _blobs(arguments)
    fitted, held_out = views.of_frames(0, 2), views.of_frames(1, 2)
    if not len(held_out.width):
        raise DataError(
            'Every second image checks the model, and none of those shows a target: give the '
            'images names in another order, or label more of them.'
        )
    model = fit_sensor_model(fitted, camera, arguments.target_width)
    model = with_time_correlation(model, fitted, camera)
    model = replace(model, min_score=min_score)
    report = {
        'model': str(arguments.model or arguments.boxes),
        **asdict(model),
        **figures(held_out, model, camera),
    }
    model.save(arguments.output)
    checks = arguments.output.with_suffix('.json')
    write_json(checks, report)
    if arguments.plot:
        plot_model(held_out, model, camera, arguments.plot)
    _print_report(report)
    print(f'Wrote {arguments.output} and {checks}')
    return 0


def _blobs(
    arguments: argparse.Namespace,
) -> tuple[TargetObservations, PinholeCamera | None, float]:
    """Segment the images; return what was found, the camera and the operating point."""
    from mav_perception.evaluation.sensor_model.target_observations import collect_observations
    from mav_perception.segmentation.segmenter import Segmenter

    segmenter = Segmenter.load(arguments.model, arguments.threads)
    samples, camera = _views(arguments, segmenter.card.label_space.size)
    return collect_observations(segmenter, samples, camera), camera, segmenter.card.min_score


def _boxes(
    arguments: argparse.Namespace,
) -> tuple[TargetObservations, PinholeCamera | None, float]:
    """Read the boxes of a detector and of a person; return the same."""
    from mav_perception.cameras.files import load_camera
    from mav_perception.evaluation.sensor_model.box_observations import collect_box_observations
    from mav_perception.io.boxes import read_boxes

    if not (arguments.data and arguments.camera):
        raise ConfigurationError('--boxes needs --data with the labels, and --camera.')
    camera = load_camera(arguments.camera)
    size = camera.width, camera.height
    labels = read_boxes(arguments.data, None, size, arguments.label_class)
    if not any(map(len, labels.values())):
        raise DataError(f'{arguments.data} has no box of class {arguments.label_class!r}.')
    found = read_boxes(arguments.boxes, arguments.data, size, arguments.box_class)
    views = collect_box_observations(found, labels, size, arguments.min_score)
    return views, camera, arguments.min_score


def _views(
    arguments: argparse.Namespace, classes: int
) -> tuple[Iterable[LabelledView], PinholeCamera | None]:
    from mav_perception.evaluation.sensor_model.target_observations import LabelledView

    if arguments.data:
        from mav_perception.cameras.files import load_camera

        camera = load_camera(arguments.camera) if arguments.camera else None
        return (
            LabelledView(image=image, labels=labels)
            for image, labels in labelled_samples(arguments.data, classes, 'measuring')
        ), camera
    from mav_perception.evaluation.sensor_model.labelled_flights import labelled_flights

    return labelled_flights(arguments.flights)


def _print_report(report: dict[str, Any]) -> None:
    """Print all but the places in the image, which the JSON has and `evaluate run` draws."""
    for name, value in report.items():
        if name == 'p_d_by_size':
            for row in value:
                print(
                    f'P_D, {row["from_px"]:6.1f} to {row["to_px"]:6.1f} pixels   {row["p_d"]:.3f} '
                    f'of {row["targets"]}'
                )
        elif name.endswith('_nis'):
            low, high = value['bounds_95']
            print(
                f'{name:28} {value["mean"]:.2f}, 95 % bounds {low:.2f} to {high:.2f}; '
                f'{value["detections"]} detections, {value["outliers"]} left out as wrong blobs'
            )
        elif isinstance(value, float):
            print(f'{name:28} {"unknown" if math.isnan(value) else format(value, ".4g")}')
        elif name != 'by_place':
            print(f'{name:28} {value}')
