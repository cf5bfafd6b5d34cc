"""The whole team from one team.yaml: the nodes of every camera, and the localization."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_xml.launch_description_sources import XMLLaunchDescriptionSource

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mav_perception.localization.team.team_file import (
    DroneEntry,
    load_team,
    span_of_others,
    team_from_entries,
)
from mav_perception.ros.runtime.launch_actions import declared
from mav_perception.ros.runtime.launch_arguments import shared

SHARE = Path(get_package_share_directory('mav_perception'))

ARGUMENTS = {
    **shared('team_file', 'model', 'backend', 'device', 'namespace', 'params_file', 'record'),
    **shared('report', 'rviz', 'autostart', 'log_level'),
    'threads': ('1', 'CPU threads of each inference.'),
    'image_qos': ('sensor_data', 'QoS of the images: sensor_data or reliable.'),
    'detection_params_file': (
        str(SHARE / 'config/detection.yaml'),
        'Parameters of the detection, over those of config/detection.yaml; a `span` in the team '
        'file wins over target_width and target_span.',
    ),
    'image_transport': ('raw', 'raw, or compressed: jpeg or png beside the raw topic.'),
    'separate_nodes': ('false', 'Segmentation and detection of a camera in a process each.'),
    'checkpoint_file': ('', 'File in which the joint filter survives its process, or empty.'),
    'overlay': ('false', 'Paint masks into the images too; rviz switches it on.'),
    'respawn': ('true', 'Start a node again that died.'),
    'use_sim_time': ('false', 'Take the time from /clock.'),
}

COMMON = ('use_sim_time', 'autostart', 'log_level', 'respawn')


def include(file: str, **arguments: object) -> IncludeLaunchDescription:
    """Include another launch file of the package."""
    source = XMLLaunchDescriptionSource(str(SHARE / 'launch' / file))
    return IncludeLaunchDescription(source, launch_arguments=list(arguments.items()))


def drones_of(team_file: str) -> tuple[DroneEntry, ...]:
    """Return the drones; a team that cannot fly is an error now, not in a node later."""
    entries = load_team(Path(team_file).expanduser())
    team_from_entries(entries)
    return entries


def start_team(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Read the team file and start a vehicle for each of its drones."""
    # Now and not later: an included file changes the launch configurations of all.
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}

    def settings(*names: str) -> dict[str, str]:
        return {name: value[name] for name in (*names, *COMMON)}

    entries = drones_of(value['team_file'])
    vehicle = settings(
        *('model', 'backend', 'device', 'threads', 'image_qos', 'image_transport'),
        *('separate_nodes', 'detection_params_file'),
    )
    localization = settings(
        'namespace', 'team_file', 'params_file', 'checkpoint_file', 'record', 'report'
    )
    looked_at = any(value[name].lower() in ('true', '1') for name in ('overlay', 'rviz'))
    vehicles = [
        include(
            'vehicle.launch.xml',
            namespace=entry.camera_namespace(camera),
            image=entry.image,
            camera_info=entry.camera_info,
            target_span=str(span_of_others(entries, entry)),
            record='',
            overlay=str(looked_at).lower(),
            **vehicle,
        )
        for entry in entries
        for camera in entry.cameras
    ]
    return [
        *vehicles,
        include('localization.launch.xml', **localization),
        Node(
            package='rviz2',
            executable='rviz2',
            arguments=['-d', str(SHARE / 'config/rviz/team.rviz')],
            condition=IfCondition(value['rviz']),
        ),
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the team."""
    return LaunchDescription([*declared(ARGUMENTS), OpaqueFunction(function=start_team)])
