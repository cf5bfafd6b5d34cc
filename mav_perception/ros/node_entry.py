"""Entry points of the nodes: whatever signal comes, from the first line on, is taken in order.

A node takes a second to import, and libraries start threads meanwhile, so that each executable
begins here, where next to nothing is imported yet.
"""

from __future__ import annotations

import importlib
import os
import sys

from mav_perception.processes.end_signals import end_signals
from mav_perception.processes.parent import die_with_parent


def main() -> int:
    """Run the node by the name of which this program was started, such as camera_node."""
    end_signals()
    die_with_parent()
    name = os.path.basename(sys.argv[0]).removesuffix('.py').removesuffix('.exe')
    return int(importlib.import_module(f'mav_perception.ros.nodes.{name}').main())
