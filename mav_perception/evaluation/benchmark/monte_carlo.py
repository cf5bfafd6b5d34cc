"""Many seeds of one scenario, in parallel processes or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from tqdm import tqdm

from mav_perception.evaluation.benchmark.comparison import Score, compare
from mav_perception.evaluation.benchmark.process_pool import in_processes
from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup, baselines_for
from mav_perception.simulation.flight.scenario_files import load_scenario

LOST = 0.5
"""A run is lost if its team-shape RMSE exceeds this, metres."""

Scores = dict[str, Score]


SCENARIO_SENSORS = SensorSetup()
"""The statistical detector of the scenario itself."""

Task = tuple[str, int, SensorSetup]


def run_seed(task: Task) -> Scores:
    """Fly one seed of one scenario and score everybody."""
    name, seed, setup = task
    scenario = load_scenario(name, seed=seed)
    return compare(*setup.fly(scenario), names=baselines_for(scenario))


def run_seeds(
    name: str, seeds: int, processes: int, dask: str = '', setup: SensorSetup = SCENARIO_SENSORS
) -> list[Scores]:
    """Run seeds 0, 1, ... of a scenario and return their scores in that order.

    Args:
        name: of a scenario, or the path of its file.
        seeds: how many.
        processes: on this machine.
        dask: address of a Dask scheduler to use instead, such as 'tcp://host:8786'.
        setup: how it is flown.
    """
    tasks = [(name, seed, setup) for seed in range(seeds)]
    return list(tqdm(_results(tasks, processes, dask), total=seeds, desc=name, leave=False))


def _results(tasks: list[Task], processes: int, dask: str) -> Iterator[Scores]:
    if dask:
        from distributed import Client

        with Client(dask) as client:
            yield from client.gather(client.map(run_seed, tasks))
        return
    yield from in_processes(run_seed, tasks, processes)


def summarise(results: list[Scores]) -> dict[str, dict[str, Any]]:
    """Average the scores over seeds, by the name of the filter."""
    return {name: _summary([result[name] for result in results]) for name in results[0]}


def _summary(scores: list[Score]) -> dict[str, Any]:
    shape = np.array([s.team_shape for s in scores])
    starts = np.array([s.start_seconds for s in scores])
    right = np.isfinite(starts) & np.array([s.wrong_initializations == 0 for s in scores])
    known = shape[np.isfinite(shape)]
    return {
        'team_shape_mean': _mean(known),
        'team_shape_median': float(np.median(known)) if len(known) else None,
        'settled_mean': _mean(np.array([s.settled for s in scores])),
        'lost': int((known > LOST).sum()),
        'anees': _mean(np.array([s.anees for s in scores])),
        'update_ms': float(np.median([s.update_ms for s in scores])),
        'start_seconds_median': float(np.median(starts[right])) if right.any() else None,
        'right_share': float(right.mean()),
        'coverage': float(np.mean([s.coverage for s in scores])),
        'commits': int(sum(s.initializations for s in scores)),
        'wrong_commits': int(sum(s.wrong_initializations for s in scores)),
    }


def _mean(values: np.ndarray[Any, Any]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def summary_table(figures: dict[str, dict[str, Any]]) -> str:
    """Lay a summary out as text; ratios are to identities known where those were played."""
    bound = figures.get('labelled', {})
    lines = [
        f'{"":20} {"RMSE":>7} {"ratio":>6} {"settled":>8} {"ratio":>6} {"lost":>5} {"ANEES":>7} '
        f'{"frame":>9} {"start":>7} {"right":>6} {"wrong":>6}'
    ]
    for name, row in figures.items():
        ratios = [
            _number(row[key] / bound[key], 2) if bound.get(key) and row[key] else '-'
            for key in ('team_shape_mean', 'settled_mean')
        ]
        lines.append(
            f'{name.replace("_", " "):20} {_number(row["team_shape_mean"], 3):>6}m {ratios[0]:>6} '
            f'{_number(row["settled_mean"], 3):>7}m {ratios[1]:>6} {row["lost"]:5d} '
            f'{_number(row["anees"], 2):>7} {row["update_ms"]:6.2f} ms '
            f'{_number(row["start_seconds_median"], 1):>6}s {100 * row["right_share"]:5.1f}% '
            f'{row["wrong_commits"]:6d}'
        )
    return '\n'.join(lines)


def _number(value: float | None, digits: int) -> str:
    return '-' if value is None else f'{value:.{digits}f}'
