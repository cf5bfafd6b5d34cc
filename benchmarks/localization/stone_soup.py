"""Time of associating one scan, against Stone Soup on the same scan in the same run.

Usage: python benchmarks/localization/stone_soup.py --targets 4 --sightings 4

Its JPDA lists all joint events, as we do; EHM2 and loopy belief propagation (LBP) are its fast
ways, the second one approximate. That all but LBP give our marginals is shown by
test/localization/test_stone_soup.py, whose scans these are.
"""

from __future__ import annotations

import argparse
import runpy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TEST = Path(__file__).resolve().parents[2] / 'test' / 'localization' / 'test_stone_soup.py'


RIVALS = {'JPDA': 'JPDA', 'EHM2': 'JPDAwithEHM2', 'LBP': 'JPDAwithLBP'}


def median_ms(associate: Callable[..., Any], cases: list[Any]) -> float:
    """Return the median milliseconds over the cases, the first one to warm up."""
    associate(*cases[0])
    milliseconds = []
    for case in cases:
        begin = time.perf_counter()
        associate(*case)
        milliseconds.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(milliseconds))


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--targets', type=int, default=4)
    parser.add_argument('--sightings', type=int, default=4)
    parser.add_argument('--scans', type=int, default=20)
    arguments = parser.parse_args()
    test = runpy.run_path(str(TEST))
    cases = [
        test['scan'](seed, arguments.targets, arguments.sightings)
        for seed in range(arguments.scans)
    ]
    ours = median_ms(test['our_marginals'], cases)
    times = []
    for name, associator in RIVALS.items():
        theirs = median_ms(test['stone_soup_marginals'], [(*case, associator) for case in cases])
        print(f'Stone Soup {name:5} {theirs:6.2f} ms')
        times.append(f'{name} {theirs / ours:.1f}')
    print(
        f'{arguments.targets} targets, {arguments.sightings} sightings: {ours:.2f} ms; Stone Soup '
        f'takes {", ".join(times)} times as long'
    )


if __name__ == '__main__':
    main()
