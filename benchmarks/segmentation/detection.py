"""Cost of mask to measurements, against the same blobs by scipy.ndimage, in one run.

The masks are drawn: ellipses with soft edges, as a network gives them, and specks of noise.

Example: python benchmarks/segmentation/detection.py --rounds 200
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from scipy import ndimage

from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.measurements import DetectionParameters, measure_mask
from mav_perception.types import LabelMask

CAMERA = PinholeCamera.with_field_of_view(640, 512, np.pi / 2.0)
SPECKS = 20


def draw_mask(drones: int, rng: np.random.Generator) -> LabelMask:
    """Draw a mask with so many drones of 10 to 160 pixels and specks of a few pixels."""
    probability = np.zeros((CAMERA.height, CAMERA.width), np.float32)
    for _ in range(drones):
        centre = tuple(rng.integers(0, [CAMERA.width, CAMERA.height]).tolist())
        length = int(10 * 16 ** rng.random())
        axes = (length // 2, max(length // 6, 2))
        cv2.ellipse(probability, centre, axes, float(rng.uniform(-20, 20)), 0, 360, 1.0, -1)
    for _ in range(SPECKS):
        row, column = rng.integers(0, [CAMERA.height, CAMERA.width])
        probability[row : row + 2, column : column + 2] = 0.7
    probability = cv2.GaussianBlur(probability, (0, 0), 1.0)
    labels = (probability > 0.5).astype(np.uint8)
    confidence = 255.0 * np.maximum(probability, 1.0 - probability)
    return LabelMask(labels, confidence.astype(np.uint8))


def with_scipy(mask: LabelMask) -> int:
    """Find components, weighted centres and lengths with scipy.ndimage."""
    components, count = ndimage.label(mask.labels == 1, np.ones((3, 3)))
    index = np.arange(1, count + 1)
    ndimage.center_of_mass(mask.confidence, components, index)
    for part in ndimage.find_objects(components):
        rows, columns = np.nonzero(components[part])
        if len(rows) > 12:
            np.linalg.eigvalsh(np.cov(np.stack([rows, columns])))
    return count


def median_ms(work: Callable[[LabelMask], object], masks: list[LabelMask]) -> float:
    """Return the median milliseconds of a call."""
    times = []
    for mask in masks:
        begin = time.perf_counter()
        work(mask)
        times.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(times))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rounds', type=int, default=200)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    ratios = []
    print(f'{CAMERA.width}x{CAMERA.height}, {SPECKS} specks, median of {rounds} masks')
    print(f'{"drones":>6} {"ours":>9} {"scipy":>9} {"ratio":>6}')
    for drones in (0, 1, 4, 16):
        rng = np.random.default_rng(drones)
        masks = [draw_mask(drones, rng) for _ in range(rounds)]
        ours = median_ms(
            lambda mask: measure_mask(mask, CAMERA, DetectionParameters(), 'mav1', 0), masks
        )
        theirs = median_ms(with_scipy, masks)
        print(f'{drones:6d} {ours:6.2f} ms {theirs:6.2f} ms {ours / theirs:6.2f}')
        ratios.append(ours / theirs)
    print(f'{min(ratios):.2f} to {max(ratios):.2f} of the time of scipy.ndimage')


if __name__ == '__main__':
    main()
