"""Monte-Carlo of the joint filter against its rivals; same flights and parameters for all.

Example: mav-perception benchmark localization --scenario hard --seeds 20 --json figures.json
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from mav_perception.errors import ConfigurationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    subjects = parser.add_subparsers(dest='subject', required=True, metavar='SUBJECT')
    localization = subjects.add_parser('localization', help='the joint filter, simulated flights')
    localization.add_argument(
        '--scenario', nargs='+', default=['nominal'], metavar='NAME',
        help='one or more of: nominal, hard, close, unknown3, unknown4, unknown5, unknown8, '
        'dropout, late, reset, blind, delayed, or all',
    )  # fmt: skip
    localization.add_argument('--seeds', type=int, default=20, help='flights a scenario')
    localization.add_argument(
        '--processes', type=int, default=os.cpu_count() or 1, help='on this machine'
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


def run(arguments: argparse.Namespace) -> int:
    """Fly, print a table a scenario and write the JSON."""
    from mav_perception.evaluation.monte_carlo import run_seeds, summarise, summary_table
    from mav_perception.evaluation.scenarios import SCENARIOS, Eyes
    from mav_perception.evaluation.sensor_model import load_detection, load_sighting_noise

    names = list(SCENARIOS) if arguments.scenario == ['all'] else arguments.scenario
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise ConfigurationError(
            f'Unknown scenario {unknown[0]!r}: choose from {", ".join(SCENARIOS)} or all.'
        )
    if arguments.seeds < 1 or arguments.processes < 1:
        raise ConfigurationError('--seeds and --processes must be at least 1.')
    eyes = None
    if arguments.sensor_model:
        noise = load_sighting_noise(arguments.sensor_model)
        eyes = Eyes(noise, arguments.images, load_detection(arguments.sensor_model))
    elif arguments.images:
        raise ConfigurationError('--images needs --sensor-model: write it by fit-sensor-model.')
    figures = {}
    for name in names:
        results = run_seeds(name, arguments.seeds, arguments.processes, arguments.dask, eyes)
        figures[name] = summarise(results)
        print(f'\n{name}: {SCENARIOS[name].text}; {arguments.seeds} seeds, team-shape RMSE')
        print(summary_table(figures[name]), flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(figures, indent=2) + '\n')
    return 0
