"""Monte-Carlo of the joint filter against its rivals; same recordings and parameters for all.

Usage: python benchmarks/localization.py --seeds 20 --scenario nominal hard --json figures.json

`nominal` is 4 drones with 1 degree bearing noise, 10 % range noise, P_D 0.8 and half a false
sighting a frame. `hard` is 5 drones with 2.5 degrees, 20 %, P_D 0.5, three false sightings a frame
and a start known to 1 m and 25 degrees. A run is lost if its team-shape RMSE exceeds half a metre.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mav_perception.evaluation.comparison import Score, compare
from mav_perception.simulation.flight import fly, matching_parameters
from mav_perception.simulation.scenario import Scenario, SightingNoise

HARD = SightingNoise(np.radians(2.5), 0.2, 0.5, 3.0)
SCENARIOS = {
    'nominal': {},
    'hard': {
        'drones': 5,
        'sighting_noise': HARD,
        'start_sigma': (1.0, 1.0, 0.3, float(np.radians(25.0))),
    },
}
LOST = 0.5


def run(task: tuple[str, int]) -> dict[str, Score]:
    """Fly one seed of one scenario and score everybody."""
    name, seed = task
    scenario = Scenario(seed=seed, **SCENARIOS[name])
    return compare(fly(scenario), matching_parameters(scenario))


def summarise(results: list[dict[str, Score]]) -> dict[str, dict[str, float]]:
    """Average the scores over seeds."""
    table = {}
    for name in results[0]:
        scores = [result[name] for result in results]
        shape = np.array([s.team_shape for s in scores])
        table[name] = {
            'team_shape_mean': float(shape.mean()),
            'team_shape_median': float(np.median(shape)),
            'lost': int((shape > LOST).sum()),
            'anees': float(np.mean([s.anees for s in scores])),
            'update_ms': float(np.median([s.update_ms for s in scores])),
        }
    return table


def main() -> None:
    """Run all scenarios on all cores and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=20)
    parser.add_argument('--scenario', nargs='+', choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument('--processes', type=int, default=multiprocessing.cpu_count())
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    figures = {}
    with multiprocessing.Pool(arguments.processes) as pool:
        for name in arguments.scenario:
            tasks = [(name, seed) for seed in range(arguments.seeds)]
            results = list(tqdm(pool.imap(run, tasks), total=len(tasks), desc=name, leave=False))
            figures[name] = summarise(results)
            bound = figures[name]['labelled']['team_shape_mean']
            print(f'{name}, {arguments.seeds} seeds of 60 s; team-shape RMSE')
            for rival, row in figures[name].items():
                print(
                    f'  {rival:18} mean {row["team_shape_mean"]:.3f} m '
                    f'({row["team_shape_mean"] / bound:5.2f} x labelled), median '
                    f'{row["team_shape_median"]:.3f} m, lost {row["lost"]:2d}, '
                    f'ANEES {row["anees"]:6.2f}, update {row["update_ms"]:.2f} ms'
                )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + '\n')


if __name__ == '__main__':
    main()
