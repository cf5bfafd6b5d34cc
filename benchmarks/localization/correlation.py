"""How long errors of sightings stay: their autocorrelation on an MR.CLAM data set.

Usage: python benchmarks/localization/correlation.py ../shared/datasets/mrclam6

Errors of bearing and log range of the same robot or landmark, seen by the same robot, over the
time between two sightings. `error_correlation` and `OBJECT_CORRELATION` come from here.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

from mav_perception.datasets.mrclam import load_mrclam
from mav_perception.geometry import wrap_angle
from mav_perception.io.tables import read_table
from mav_perception.recordings.recording import Recording, sample_truth
from mav_perception.types import FloatArray, seconds

LAGS = (0.05, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0, 20.0)
FARTHEST = 0.8
"""A sighting of nothing within so many metres is no landmark's."""

LANDMARK = 100


def errors(recording: Recording, landmarks: FloatArray) -> FloatArray:
    """Return rows: seconds, observer, target, error of bearing and of log range."""
    rows = []
    for frame in recording.frames:
        sightings, stamp_ns = frame.sightings, frame.sightings.stamp_ns
        observer = recording.team.names.index(sightings.observer)
        truth = sample_truth(recording, np.array([stamp_ns]))[0]
        for position, label in zip(sightings.positions, frame.labels, strict=True):
            measured = np.array([position[2], -position[0]])
            yaw = truth[observer, 3]
            turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
            seen = truth[observer, :2] + turn @ measured
            nearest = int(np.argmin(np.linalg.norm(landmarks - seen, axis=1)))
            target = truth[label, :2] if label >= 0 else landmarks[nearest]
            if label < 0 and np.linalg.norm(target - seen) > FARTHEST:
                continue
            true = turn.T @ (target - truth[observer, :2])
            bearing = wrap_angle(np.arctan2(*measured[::-1]) - np.arctan2(*true[::-1]))
            ratio = np.log(np.linalg.norm(measured) / np.linalg.norm(true))
            who = label if label >= 0 else LANDMARK + nearest
            rows.append((seconds(stamp_ns), observer, who, float(bearing), ratio))
    return np.array(rows)


def autocorrelation(rows: FloatArray, column: int) -> list[tuple[float, float, int]]:
    """Return lag, correlation and number of pairs for each of `LAGS`."""
    centred = rows[:, column] - rows[:, column].mean()
    products: list[list[FloatArray]] = [[] for _ in pairwise(LAGS)]
    for pair in np.unique(rows[:, 1:3], axis=0):
        mine = np.flatnonzero((rows[:, 1:3] == pair).all(axis=1))
        apart = np.subtract.outer(rows[mine, 0], rows[mine, 0])
        for found, (low, high) in zip(products, pairwise(LAGS), strict=True):
            later, earlier = np.nonzero((apart > low) & (apart <= high))
            found.append(centred[mine[later]] * centred[mine[earlier]])
    result = []
    for found, (low, high) in zip(products, pairwise(LAGS), strict=True):
        every = np.concatenate(found)
        result.append(((low + high) / 2.0, float(every.mean() / centred.var()), len(every)))
    return result


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', type=Path)
    folder = parser.parse_args().folder
    landmarks = read_table(folder, 'Landmark_Groundtruth', 'dat', 'give an MR.CLAM set.')[1][
        :, 1:3
    ]
    rows = errors(load_mrclam(folder, 1.0), landmarks)
    for name, some in (('robots', rows[:, 2] < LANDMARK), ('landmarks', rows[:, 2] >= LANDMARK)):
        for kind, column in (('bearing', 3), ('log range', 4)):
            text = '  '.join(f'{v:5.2f}' for _, v, _ in autocorrelation(rows[some], column))
            print(f'{name:10} {kind:10} {text}')
    print(f'{"after":21} ' + '  '.join(f'{(a + b) / 2:4.1f}s' for a, b in pairwise(LAGS)))


if __name__ == '__main__':
    main()
