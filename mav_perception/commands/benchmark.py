"""Monte-Carlo of the joint filter against its baselines; same flights and parameters for all.

Examples:
  mav-perception benchmark localization --scenario hard --seeds 20 --json figures.json
  mav-perception benchmark robustness mrclam ../shared/datasets/mrclam6 --json figures.json
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from mav_perception.commands import benchmark_robustness
from mav_perception.commands.command_parser import at_least
from mav_perception.errors import ConfigurationError
from mav_perception.io.files import write_json
from mav_perception.simulation.flight.scenario_files import load_scenario, scenario_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    subjects = parser.add_subparsers(dest='subject', required=True, metavar='SUBJECT')
    localization = subjects.add_parser('localization', help='the joint filter, simulated flights')
    localization.add_argument(
        '--scenario', nargs='+', default=['nominal'], metavar='NAME',
        help=f'one or more of {", ".join(scenario_names())}, or the path of a scenario file',
    )  # fmt: skip
    localization.add_argument('--seeds', type=at_least(1), default=20, help='flights a scenario')
    localization.add_argument(
        '--processes', type=at_least(1), default=os.cpu_count() or 1, help='on this machine'
    )
    localization.add_argument(
        '--dask', default='', metavar='ADDRESS', help='run on a Dask cluster, tcp://host:8786'
    )
    localization.add_argument(
        '--sensor-model', type=Path, metavar='FILE',
        help='draw sightings from what `fit-sensor-model` found, not from the scenario',
    )  # fmt: skip
    localization.add_argument(
        '--images', default='', metavar='MODEL',
        help='render images and run this network on them; needs --sensor-model',
    )  # fmt: skip
    localization.add_argument('--json', type=Path, metavar='FILE', help='write the figures there')
    robustness = subjects.add_parser(
        'robustness', help='one real recording under many small changes'
    )
    benchmark_robustness.add_arguments(robustness)


def run(arguments: argparse.Namespace) -> int:
    """Fly, print a table a scenario and write the JSON."""
    if arguments.subject == 'robustness':
        return benchmark_robustness.run(arguments)
    from mav_perception.evaluation.benchmark.monte_carlo import run_seeds, summarise, summary_table
    from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
    from mav_perception.evaluation.sensor_model.sensor_model_files import (
        load_detection,
        load_sighting_noise,
        load_time_correlation,
    )

    texts = {name: load_scenario(name).text for name in arguments.scenario}
    setup = SensorSetup()
    if arguments.sensor_model:
        noise = load_sighting_noise(arguments.sensor_model)
        setup = SensorSetup(
            noise,
            arguments.images,
            load_detection(arguments.sensor_model),
            load_time_correlation(arguments.sensor_model),
        )
    elif arguments.images:
        raise ConfigurationError('--images needs --sensor-model: write it by fit-sensor-model.')
    figures = {}
    for name, text in texts.items():
        results = run_seeds(name, arguments.seeds, arguments.processes, arguments.dask, setup)
        figures[name] = summarise(results)
        print(f'\n{name}: {text}; {arguments.seeds} seeds, team-shape RMSE')
        print(summary_table(figures[name]), flush=True)
        if arguments.json:
            write_json(arguments.json, figures)
    return 0
