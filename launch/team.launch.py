"""The whole team from one team.yaml: the nodes of every camera, and the localization."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_xml.launch_description_sources import XMLLaunchDescriptionSource

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mav_perception.localization.team_file import load_team

SHARE = Path(get_package_share_directory('mav_perception'))

ARGUMENTS = {
    'team_file': (str(SHARE / 'config/team.yaml'), 'Names, namespaces, starts and cameras.'),
    'model': ('drone', 'Segmentation model: a shipped name or a path to an .onnx file.'),
    'threads': ('1', 'CPU threads of each inference.'),
    'image_qos': ('sensor_data', 'QoS of the images: sensor_data or reliable.'),
    'params_file': (str(SHARE / 'config/localization.yaml'), 'Parameters of the localization.'),
    'use_sim_time': ('false', 'Take the time from /clock.'),
    'autostart': ('true', 'Configure and activate the lifecycle nodes at start.'),
    'log_level': ('info', 'debug, info, warn or error.'),
}


def include(file: str, **arguments: object) -> IncludeLaunchDescription:
    """Include another launch file of the package."""
    source = XMLLaunchDescriptionSource(str(SHARE / 'launch' / file))
    return IncludeLaunchDescription(source, launch_arguments=list(arguments.items()))


def start_team(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Read the team file and start a vehicle for each of its drones."""
    entries = load_team(Path(LaunchConfiguration('team_file').perform(context)))
    common = {n: LaunchConfiguration(n) for n in ('use_sim_time', 'autostart', 'log_level')}
    vehicle = common | {n: LaunchConfiguration(n) for n in ('model', 'threads', 'image_qos')}
    localization = common | {n: LaunchConfiguration(n) for n in ('team_file', 'params_file')}
    vehicles = [
        include('vehicle.launch.xml', namespace=entry.camera_namespace(camera)[1:], **vehicle)
        for entry in entries
        for camera in entry.cameras
    ]
    return [*vehicles, include('localization.launch.xml', **localization)]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the team."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start_team)])
