"""Entry points of the nodes: quiet from the first line on, whatever signal comes.

A node takes a second to import. A signal meanwhile would end it with a traceback, so that each
executable begins here, where next to nothing is imported yet.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys


def main() -> int:
    """Run the node by the name of which this program was started, such as camera_node."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # nothing has begun that could be lost
    name = os.path.basename(sys.argv[0]).removesuffix('.py').removesuffix('.exe')
    return int(importlib.import_module(f'mav_perception.ros.nodes.{name}').main())
