"""The half of `mav-perception doctor` that needs ROS: one tab-separated finding a line."""

from __future__ import annotations

import sys
from pathlib import Path

from mav_perception.errors import MavPerceptionError
from mav_perception.ros.parameter_check import check_parameter_file
from mav_perception.ros.runtime.graph import look_at_graph


def main() -> int:
    """Check the parameter files, then listen for so many seconds."""
    listen, *files = sys.argv[1:]
    lines = []
    for file in files:
        try:
            problems = check_parameter_file(Path(file))
        except MavPerceptionError as error:
            problems = [str(error)]
        lines += [('FAIL', f'{file}: {text}', 'see doc/parameters.md') for text in problems]
        if not problems:
            lines.append(('ok', f'{file}: every parameter is known and in its range', ''))
    if float(listen) > 0.0:
        lines += look_at_graph(float(listen))
    for line in lines:
        print('\t'.join(' '.join(text.split()) for text in line))
    return 0


if __name__ == '__main__':
    sys.exit(main())
