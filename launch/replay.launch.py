"""A recorded flight, localized anew: the bag and the joint filter."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription, Shutdown
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_xml.launch_description_sources import XMLLaunchDescriptionSource

from launch import LaunchDescription
from mav_perception.ros.runtime.launch_actions import ENDS_WITH_LAUNCH, declared
from mav_perception.ros.runtime.launch_arguments import shared

SHARE = Path(get_package_share_directory('mav_perception'))

PASSED_ON = (
    *('team_file', 'params_file', 'namespace', 'record', 'report', 'autostart', 'log_level'),
)
"""Arguments that localization.launch.xml has too."""

ARGUMENTS = {
    **shared(*PASSED_ON, 'rviz'),
    'bag': ('', 'Folder of the bag, MCAP or SQLite.'),
    'rate': ('1.0', 'Seconds of the bag in a second.'),
    'begin': ('0.0', 'Where to begin, in seconds.'),
    'loop': ('false', 'Begin again at the end.'),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the bag, the filter and, if wanted, RViz."""
    value = {name: LaunchConfiguration(name) for name in ARGUMENTS}
    player = Node(
        package='mav_perception',
        executable='player_node',
        output='screen',
        parameters=[
            {
                'bag': ParameterValue(value['bag'], value_type=str),
                'rate': ParameterValue(value['rate'], value_type=float),
                'position': ParameterValue(value['begin'], value_type=float),
                'loop': ParameterValue(value['loop'], value_type=bool),
                'inputs_only': True,
            }
        ],
        additional_env=ENDS_WITH_LAUNCH,
        on_exit=Shutdown(reason='the bag is over'),
    )
    localization = IncludeLaunchDescription(
        XMLLaunchDescriptionSource(str(SHARE / 'launch/localization.launch.xml')),
        launch_arguments=[('use_sim_time', 'true'), *((name, value[name]) for name in PASSED_ON)],
    )
    rviz = Node(
        package='rviz2',
        executable='rviz2',
        arguments=['-d', str(SHARE / 'config/rviz/team.rviz')],
        condition=IfCondition(value['rviz']),
    )
    return LaunchDescription([*declared(ARGUMENTS), localization, player, rviz])
