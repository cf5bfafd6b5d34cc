"""Options that say which flight is simulated."""

from __future__ import annotations

import argparse

from mav_perception.simulation.flight.scenario_files import scenario_names

DEFAULT_SCENARIO = 'nominal'


def add_flight_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that say which flight is simulated."""
    parser.add_argument(
        '--scenario',
        default=DEFAULT_SCENARIO,
        help=f'one of {", ".join(scenario_names())}, or the path of a scenario file',
    )
    parser.add_argument('--seed', type=int, help="decides the flight (default: the scenario's)")
