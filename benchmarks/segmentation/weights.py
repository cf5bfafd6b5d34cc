"""Measure all shipped models again, and the drone model on small images and under disturbances.

Images at half their size show what a camera of 640 columns would have seen. Images of other rooms
show no drone: every blob there is false.

Example: python benchmarks/segmentation/weights.py --data ../shared/datasets
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from mav_perception.evaluation.metrics.corruptions import CORRUPTIONS, corrupted
from mav_perception.evaluation.metrics.model_evaluation import measure, rendered_samples
from mav_perception.evaluation.metrics.operating_point import backgrounds, operating_curve
from mav_perception.io.labelled_images import folder_samples
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.types import ByteImage

MODELS = {
    'drone': 'perch_drone/val',
    'drone_int8': 'perch_drone/val',
    'drone_mavnet': 'perch_drone/val',
    'penstock': 'TN_penstock/val',
    'sim': '',
    'sim_mavnet': '',
}
"""Shipped model -> validation images below --data; rendered ones if none."""

BACKGROUNDS = 'backgrounds/val'
"""Images of other rooms, without a target."""


def main() -> int:
    """Print a table of the models and one of the disturbances."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--data', type=Path, required=True, help='folder of the data sets')
    parser.add_argument('--rendered', type=int, default=200, help='images for `sim`')
    given = parser.parse_args()
    cv2.setNumThreads(1)  # as on board
    print('| model | network | parameters | measured on | IoU | P_D | false blobs an image |')
    print('| --- | --- | --- | --- | --- | --- | --- |')
    for name, folder in MODELS.items():
        print(model_row(name, folder, given.data, given.rendered), flush=True)
        if name == 'drone':
            print(model_row(name, folder, given.data, given.rendered, half=True), flush=True)
    names = ['undisturbed', *CORRUPTIONS]
    print('\n| drone IoU | ' + ' | '.join(names) + ' |\n| --- ' + '| --- ' * len(names) + '|')
    val = given.data / MODELS['drone']
    segmenter = Segmenter.load('drone', 2)
    samples = [folder_samples(val, 2)]
    samples += [corrupted(folder_samples(val, 2), kind) for kind in CORRUPTIONS]
    cells = [f'{measure(segmenter, one)["iou"][1]:.3f}' for one in samples]
    print('| drone | ' + ' | '.join(cells) + ' |')
    images = backgrounds(given.data / BACKGROUNDS)
    curve = operating_curve(segmenter, folder_samples(val, 2), images)
    where = f'on {len(images)} of {BACKGROUNDS}'
    print(f'\n| `drone`, min_score | P_D | false blobs an image | {where} |')
    print('| --- | --- | --- | --- |')
    for gate in (0.0, 0.6, segmenter.card.min_score, 0.75, 0.8):
        row = curve.at(gate)
        print('| ' + ' | '.join(f'{value:.2f}' for value in row.values()) + ' |')
    return 0


def halved(
    samples: Iterable[tuple[ByteImage, ByteImage]],
) -> Iterator[tuple[ByteImage, ByteImage]]:
    """Yield images and labels at half their size."""
    for image, labels in samples:
        size = (image.shape[1] // 2, image.shape[0] // 2)
        yield (
            np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8),
            np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8),
        )


def model_row(name: str, folder: str, data: Path, rendered: int, half: bool = False) -> str:
    """Return the row of one model."""
    segmenter = Segmenter.load(name, 2)
    space = segmenter.card.label_space
    samples = folder_samples(data / folder, space.size) if folder else rendered_samples(rendered)
    figures = measure(segmenter, halved(samples) if half else samples)
    iou = dict(zip(space.names[1:], figures['iou'][1:], strict=True))
    shown = ', '.join(f'{kind} {value:.3f}' for kind, value in iou.items())
    if len(iou) > 1:
        shown += f', mean of {len(figures["iou"])} classes {np.mean(figures["iou"]):.3f}'
    network = segmenter.card.network + (' with a closer look' if segmenter.card.look else '')
    where = (folder or f'{rendered} rendered images') + ', half size' * half
    # The blobs of a surface are no targets.
    blobs = (
        f'{figures["p_d"]:.2f} | {figures["false_per_frame"]:.2f}' if len(iou) == 1 else '- | -'
    )
    return f'| `{name}` | {network} | {segmenter.parameters:,} | {where} | {shown} | {blobs} |'


if __name__ == '__main__':
    raise SystemExit(main())
