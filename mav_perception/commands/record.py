"""Record what a team says into an MCAP bag, until Ctrl-C; images are left out unless wanted.

Example: mav-perception record flight_bag --images
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mav_perception.commands.chain import ros_arguments
from mav_perception.commands.processes import become_node

NEVER = '^/(parameter_events|rosout)$'
NO_IMAGES = NEVER + '|/image_raw$|/image_rect$|/segmentation/(mask|confidence|overlay)$'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('bag', type=Path, help='folder of the new bag')
    parser.add_argument('--images', action='store_true', help='images and masks too')


def run(arguments: argparse.Namespace) -> int:
    """Become the recorder node."""
    exclude = NEVER if arguments.images else NO_IMAGES
    return become_node(
        'recorder_node', ros_arguments(f'bag:={arguments.bag}', f'exclude:={exclude}')
    )
