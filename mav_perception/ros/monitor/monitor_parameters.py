"""What monitor_node reads."""

from __future__ import annotations

import json
from dataclasses import dataclass

from mav_perception.errors import ConfigurationError
from mav_perception.parameters import parameter
from mav_perception.ros.messages.qos import qos_parameter


@dataclass(frozen=True)
class MonitorNodeParameters:
    """Parameters of monitor_node."""

    team_file: str = parameter(
        '', 'team.yaml as localization_node gets it, for names and VIO alone', read_only=True
    )
    duration: float = parameter(
        0.0,
        'end after so many seconds of truth, 0 to go on until somebody ends the node [s]',
        0.0,
        read_only=True,
    )
    team_namespace: str = parameter(
        '.', 'namespace of the team, as of localization_node', read_only=True
    )
    pose_prefix: str = parameter(
        '', 'namespace before the poses, as of localization_node', read_only=True
    )
    output: str = parameter(
        '', 'folder for summary.json, report.html and the run, empty for none', read_only=True
    )
    live: bool = parameter(True, 'print the live table', read_only=True)
    rerun: str = parameter(
        '',
        'file to write a Rerun recording to, or address of a viewer such as '
        'rerun+http://127.0.0.1:9876/proxy; empty for none',
        read_only=True,
    )
    qos: str = qos_parameter('sensor_data', 'all that is listened to', read_only=True)
    about: str = parameter(
        '', 'JSON of words for the head of the report: what flies, seed, command', read_only=True
    )
    refresh: float = parameter(1.0, 'seconds between live tables', 0.1, 60.0, read_only=True)

    def words(self) -> dict[str, str]:
        """Return what `about` tells.

        Raises:
            ConfigurationError: it is no JSON of words.
        """
        try:
            told = json.loads(self.about or '{}')
        except ValueError as error:
            raise ConfigurationError(f'about is no JSON, {self.about!r}: {error}.') from error
        if not isinstance(told, dict):
            raise ConfigurationError(f'about needs {{"word": "text"}}, not {self.about!r}.')
        return {str(key): str(value) for key, value in told.items()}
