"""Parameters of localization_node, and the team that its flat lists describe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.errors import ConfigurationError
from mav_perception.localization.observation import CameraMount
from mav_perception.localization.team import Team
from mav_perception.parameters import parameter


@dataclass(frozen=True)
class LocalizationNodeParameters:
    """Parameters of localization_node besides those of the filter; lists follow `drones`."""

    drones: tuple[str, ...] = parameter(('mav1', 'mav2'), 'names; the first one fixes the map')
    namespaces: tuple[str, ...] = parameter(
        ('/mav1', '/mav2'), 'namespace of the topics of every drone'
    )
    start_poses: tuple[float, ...] = parameter(
        (0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
        'x, y, z [m] and yaw [rad] in map where the odometry of each drone began',
    )
    start_sigmas: tuple[float, ...] = parameter(
        (0.0, 0.0, 0.0, 0.0, 0.2, 0.2, 0.1, 0.05), 'standard deviations of start_poses', 0.0
    )
    camera_translations: tuple[float, ...] = parameter(
        (0.1, 0.0, 0.0, 0.1, 0.0, 0.0), 'x, y, z of each camera in base_link [m]'
    )
    camera_rotations: tuple[float, ...] = parameter(
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 'roll, pitch, yaw of each camera, 0 looks along x [rad]'
    )
    map_frame: str = parameter('map', 'frame of the poses')
    odometry_wait: float = parameter(
        0.3, 'longest wait of a frame for odometry, and for drones that lag [s]', 0.0, 10.0
    )
    future_tolerance: float = parameter(
        0.5, 'stamps further ahead of the clock than this are refused [s]', 0.0, 60.0
    )
    publish_rate: float = parameter(
        5.0, 'rate of markers, and of poses of drones without frames of their own [Hz]', 0.1, 100.0
    )
    publish_tf: bool = parameter(True, 'publish map -> mavN/odom where tf2_ros is installed')
    odometry_qos: str = parameter('sensor_data', 'QoS of odometry: sensor_data or reliable')
    measurement_qos: str = parameter(
        'reliable', 'QoS of the relative measurements: sensor_data or reliable'
    )
    autostart: bool = parameter(True, 'configure and activate at start')


def team_from_parameters(parameters: LocalizationNodeParameters) -> Team:
    """Build the team from flat parameter lists, or raise ConfigurationError that names one."""
    count = len(parameters.drones)
    if len(parameters.namespaces) != count:
        raise ConfigurationError(f'namespaces needs one entry for each of {count} drones.')
    tables = {}
    for name, width in (
        ('start_poses', 4),
        ('start_sigmas', 4),
        ('camera_translations', 3),
        ('camera_rotations', 3),
    ):
        values = np.array(getattr(parameters, name), float)
        if values.size != count * width:
            raise ConfigurationError(
                f'{name} has {values.size} numbers, {count} drones need {count * width}.'
            )
        tables[name] = values.reshape(count, width)
    mounts = tuple(
        CameraMount.forward(translation, rotation)
        for translation, rotation in zip(
            tables['camera_translations'], tables['camera_rotations'], strict=True
        )
    )
    return Team(tuple(parameters.drones), tables['start_poses'], tables['start_sigmas'], mounts)
