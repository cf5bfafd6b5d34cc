"""Compare models that foretell the number of false sightings in the next frame.

Counts of false blobs in consecutive frames: of every camera of simulated flights with things that
look like drones (fitted on one seed, held out on others), and of the `drone` model on
perch_drone/val (fitted on the first half of the flight, held out on the second). Higher is better.

Example: python benchmarks/localization/clutter.py --data ../shared/datasets/perch_drone/val
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.evaluation.benchmark.rendered_flight import fly_with_images
from mav_perception.evaluation.clutter.clutter_models import (
    constant_log_likelihood,
    fit_clutter_over_time,
    fit_moving_average,
    moving_average_log_likelihood,
)
from mav_perception.evaluation.sensor_model.target_observations import (
    LabelledView,
    collect_observations,
)
from mav_perception.io.files import write_json
from mav_perception.io.labelled_images import folder_samples
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import FloatArray


def main() -> int:
    """Count, fit, compare."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--data', type=Path, help='perch_drone/val, left out if not given')
    parser.add_argument('--scenario', default='cluttered')
    parser.add_argument('--duration', type=float, default=60.0)
    parser.add_argument('--seeds', type=int, default=3, help='the first one to fit on')
    parser.add_argument('--json', type=Path, help='write all figures there')
    arguments = parser.parse_args()
    flights = [
        simulated_counts(arguments.scenario, arguments.duration, s) for s in range(arguments.seeds)
    ]
    held_out = [counts for flight in flights[1:] for counts in flight]
    table = {f'simulated, {arguments.scenario}': compare(flights[0], held_out)}
    if arguments.data:
        real = real_counts(arguments.data)
        half = len(real) // 2
        table['perch_drone/val'] = compare([real[:half]], [real[half:]])
    print('| counts | frames | mean | constant | moving average | deep Poisson |')
    print('| --- | --- | --- | --- | --- | --- |')
    for name, row in table.items():
        print(
            f'| {name} | {row["frames"]} | {row["mean"]:.2f} | {row["constant"]:.3f} | '
            f'{row["moving average"]:.3f} | {row["deep Poisson"]:.3f} |'
        )
    if arguments.json:
        write_json(arguments.json, table)
    return 0


def compare(train: list[FloatArray], held_out: list[FloatArray]) -> dict[str, object]:
    """Fit all on some counts; return the mean log likelihood of a held-out frame, in nats."""
    rate = float(np.concatenate(train).mean())
    memory, deep = fit_moving_average(train), fit_clutter_over_time(train)
    frames = sum(len(counts) for counts in held_out)
    return {
        'frames': frames,
        'mean': float(np.concatenate(held_out).mean()),
        'constant': sum(constant_log_likelihood(c, rate) for c in held_out) / frames,
        'moving average': sum(moving_average_log_likelihood(c, memory, rate) for c in held_out)
        / frames,
        'deep Poisson': sum(deep.log_likelihood(c) for c in held_out) / frames,
        'memory': memory,
        'model': asdict(deep),
    }


def simulated_counts(scenario: str, duration: float, seed: int) -> list[FloatArray]:
    """Return the false sightings of every camera of a flight, frame by frame."""
    flown = load_scenario(scenario, duration=duration, seed=seed)
    recording = fly_with_images(flown, Segmenter.load('sim', 2), DetectionParameters())
    counts: dict[tuple[str, str], list[float]] = {}
    for frame in recording.frames:
        key = (frame.sightings.observer, frame.sightings.camera)
        counts.setdefault(key, []).append(float((frame.labels == -1).sum()))
    return [np.array(series) for series in counts.values()]


def real_counts(folder: Path) -> FloatArray:
    """Return the false blobs of the `drone` model in every image, in the order of the flight."""
    segmenter = Segmenter.load('drone', 2)
    views = (LabelledView(image=i, labels=m) for i, m in folder_samples(folder, 2))
    found = collect_observations(segmenter, views, None)
    return np.bincount(found.false_frame.astype(int), minlength=found.images).astype(float)


if __name__ == '__main__':
    raise SystemExit(main())
