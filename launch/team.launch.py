"""The whole team from one team.yaml: the nodes of every camera, and the localization."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_xml.launch_description_sources import XMLLaunchDescriptionSource

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mav_perception.commands.record import NO_IMAGES
from mav_perception.localization.team_file import load_team

SHARE = Path(get_package_share_directory('mav_perception'))

ARGUMENTS = {
    'team_file': (str(SHARE / 'config/team.yaml'), 'Names, namespaces, starts and cameras.'),
    'model': ('drone', 'Segmentation model: a shipped name or a path to an .onnx file.'),
    'backend': ('auto', 'What runs the network: auto, onnxruntime, openvino or torch.'),
    'threads': ('1', 'CPU threads of each inference.'),
    'image_qos': ('sensor_data', 'QoS of the images: sensor_data or reliable.'),
    'params_file': (str(SHARE / 'config/localization.yaml'), 'Parameters of the localization.'),
    'checkpoint_file': ('', 'File in which the joint filter survives its process, or empty.'),
    'record': ('', 'Folder of a new bag with all but images; empty for none.'),
    'rviz': ('false', 'Open RViz with a view of the team.'),
    'respawn': ('true', 'Start a node again that died.'),
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
    common = settings('use_sim_time', 'autostart', 'log_level', 'respawn')
    vehicle = common | settings('model', 'backend', 'threads', 'image_qos')
    localization = common | settings('team_file', 'params_file', 'checkpoint_file')
    vehicles = [
        include(
            'vehicle.launch.xml', namespace=entry.camera_namespace(camera).strip('/'), **vehicle
        )
        for entry in entries
        for camera in entry.cameras
    ]
    return [
        *vehicles,
        include('localization.launch.xml', **localization),
        *recorder(LaunchConfiguration('record').perform(context)),
        Node(
            package='rviz2',
            executable='rviz2',
            arguments=['-d', str(SHARE / 'config/rviz/team.rviz')],
            condition=IfCondition(LaunchConfiguration('rviz')),
        ),
    ]


def settings(*names: str) -> dict[str, LaunchConfiguration]:
    """Return launch arguments to pass on."""
    return {name: LaunchConfiguration(name) for name in names}


def recorder(bag: str) -> list[Node]:
    """Record all topics but images, if a folder is given."""
    if not bag:
        return []
    parameters = {'bag': bag, 'exclude': NO_IMAGES}
    return [Node(package='mav_perception', executable='recorder_node', parameters=[parameters])]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the team."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start_team)])
