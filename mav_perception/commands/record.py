"""Record what a team says into an MCAP bag, until Ctrl-C; images are left out unless wanted.

Example: mav-perception record flight_bag --images --split 2000
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mav_perception.processes.node_processes import become_node, ros_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('bag', type=Path, help='folder of the new bag')
    parser.add_argument('--images', action='store_true', help='images and masks too')
    parser.add_argument(
        '--split',
        type=int,
        default=0,
        metavar='MB',
        help='begin another bag, BAG_1, after so much',
    )


def run(arguments: argparse.Namespace) -> int:
    """Become the recorder node."""
    given = {
        'bag': arguments.bag,
        'images': arguments.images,
        'split_size': arguments.split,
    }
    return become_node('recorder_node', ros_arguments(given))
