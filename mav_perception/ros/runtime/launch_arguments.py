"""Arguments that several launch files have, with one default and one meaning."""

from __future__ import annotations

from mav_perception.resources import find_share

SHARED: dict[str, tuple[str, str]] = {
    'team_file': (
        str(find_share('config', 'team.yaml')),
        'Names, namespaces, starts and cameras.',
    ),
    'params_file': (
        str(find_share('config', 'localization.yaml')),
        'Parameters of the localization, over those of config/localization.yaml.',
    ),
    'namespace': ('', 'Namespace of the localization node; topics stay as they are.'),
    'model': ('drone', 'Segmentation model: a shipped name or a path to an .onnx file.'),
    'backend': ('auto', 'What runs the network: auto, onnxruntime, openvino or torch.'),
    'device': ('auto', 'Where the network runs: auto, cpu, cuda or tensorrt.'),
    'record': ('', 'Folder of a new bag with all but images; empty for none.'),
    'report': (
        '',
        'Folder for report.html and the tracks, written when the flight is ended; empty for none.',
    ),
    'rviz': ('false', 'Open RViz with a view of the team.'),
    'autostart': ('true', 'Configure and activate what is a lifecycle node at start.'),
    'log_level': ('info', 'debug, info, warn or error.'),
}
"""Name -> default and description."""

OF_TEAM = (
    *('model', 'backend', 'device', 'namespace', 'params_file', 'record', 'rviz'),
    *('autostart', 'log_level'),
)
"""What a launch file that starts a team in some world hands on to team.launch.py."""


def shared(*names: str) -> dict[str, tuple[str, str]]:
    """Return some of the arguments."""
    return {name: SHARED[name] for name in names}
