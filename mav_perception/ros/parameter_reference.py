"""Write the parameter reference of all nodes from their declarations: doc/parameters.md."""

from __future__ import annotations

import sys
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.errors import ConfigurationError
from mav_perception.io.yaml_files import read_yaml
from mav_perception.localization.parameters import FilterParameters
from mav_perception.parameters import describe
from mav_perception.resources import find_share
from mav_perception.ros.localization.localization_parameters import LocalizationNodeParameters
from mav_perception.ros.localization.pose_publishers import PoseParameters
from mav_perception.ros.localization.transforms import TransformParameters
from mav_perception.ros.monitor.monitor_parameters import MonitorNodeParameters
from mav_perception.ros.nodes.camera_node import CameraNodeParameters
from mav_perception.ros.nodes.detection_node import DetectionNodeParameters
from mav_perception.ros.nodes.overlay_node import OverlayNodeParameters
from mav_perception.ros.nodes.pilot_node import PilotNodeParameters
from mav_perception.ros.nodes.player_node import PlayerNodeParameters
from mav_perception.ros.nodes.recorder_node import RecorderNodeParameters
from mav_perception.ros.nodes.simulation_node import SimulationNodeParameters
from mav_perception.ros.runtime.bond import BondParameters
from mav_perception.ros.runtime.lifecycle import LifecycleParameters
from mav_perception.ros.runtime.watchdog import WatchdogParameters
from mav_perception.ros.stages.detection_stage import DetectionStageParameters
from mav_perception.ros.stages.segmentation_stage import SegmentationNodeParameters

OF_LIFECYCLE = (LifecycleParameters, WatchdogParameters, BondParameters)
"""What every lifecycle node has."""

NODE_PARAMETERS: dict[str, tuple[type, ...]] = {
    'camera': (
        SegmentationNodeParameters,
        DetectionParameters,
        DetectionStageParameters,
        CameraNodeParameters,
        *OF_LIFECYCLE,
    ),
    'segmentation': (SegmentationNodeParameters, *OF_LIFECYCLE),
    'detection': (
        DetectionParameters,
        DetectionStageParameters,
        DetectionNodeParameters,
        *OF_LIFECYCLE,
    ),
    'localization': (
        FilterParameters,
        LocalizationNodeParameters,
        PoseParameters,
        TransformParameters,
        *OF_LIFECYCLE,
    ),
    'simulation': (SimulationNodeParameters,),
    'monitor': (MonitorNodeParameters,),
    'recorder': (RecorderNodeParameters,),
    'player': (PlayerNodeParameters,),
    'pilot': (PilotNodeParameters,),
    'overlay': (OverlayNodeParameters,),
}
"""Parameter dataclasses of every node."""


def reference() -> str:
    """Return the Markdown text."""
    lines = ['# Parameters', '', 'Made by `make reference` from the declarations in the code.']
    lines += ['Launch files and the demo read the files in `config/`, which override some.']
    for node, kinds in NODE_PARAMETERS.items():
        lines += ['', f'## {node}_node', '']
        lines.append('| parameter | default | in config/ | range | meaning |')
        lines.append('| --- | --- | --- | --- | --- |')
        shipped = _shipped_values(node)
        # Two stages may share a parameter: the first one describes it.
        declared: dict[str, Field[Any]] = {}
        for kind in kinds:
            for item in fields(kind):
                declared.setdefault(item.name, item)
        for item in declared.values():
            description = describe(item)
            low, high = description.low, description.high
            limits = (
                '' if low is None else f'from {low:g}' if high is None else f'{low:g} to {high:g}'
            )
            default = item.default if item.default != '' else "''"
            value = shipped.get(item.name, item.default)
            other = '' if value in (item.default, _list_of(item.default)) else f'`{value}`'
            default = str(default).replace('|', '\\|')  # else it would end the cell
            row = (f'`{item.name}`', f'`{default}`', other, limits, description.text)
            lines.append(f'| {" | ".join(row)} |')
    return '\n'.join(lines) + '\n'


def _shipped_values(node: str) -> dict[str, Any]:
    """Return what the file of a node in config/ sets, which launch files read."""
    try:
        path = find_share('config', f'{node}.yaml')
    except ConfigurationError:
        return {}
    values: dict[str, Any] = read_yaml(path, 'parameter file')['/**']['ros__parameters']
    return values


def _list_of(value: Any) -> Any:
    """Return a default as YAML has it: without tuples."""
    return list(value) if isinstance(value, tuple) else value


if __name__ == '__main__':
    Path(sys.argv[1]).write_text(reference())
