"""The embedded simulator, the team and the monitor: what `mav-perception demo` starts."""

import json
import tempfile
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription, OpaqueFunction, Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mav_perception.localization.team.team_file import save_team
from mav_perception.ros.runtime.launch_actions import (
    ENDS_WITH_LAUNCH,
    declared,
    removed_at_the_end,
)
from mav_perception.ros.runtime.launch_arguments import OF_TEAM, shared
from mav_perception.simulation.flight.flight import scenario_team
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.scenario_files import load_scenario

SHARE = Path(get_package_share_directory('mav_perception'))

ARGUMENTS = {
    **shared(*OF_TEAM),
    'scenario': ('nominal', 'A shipped scenario, or the path of a scenario YAML.'),
    'drones': ('0', "Size of the team; 0 for the scenario's."),
    'duration': ('0.0', "Length of the flight in seconds; 0 for the scenario's."),
    'rate': ('0.0', "Frames a second of a camera; 0 for the scenario's."),
    'seed': ('-1', "Decides flights, drift, noise and the room; -1 for the scenario's."),
    'model': ('sim', 'Segmentation model.'),
    'output': ('demo_output', 'Folder for report.html, summary.json and the run.'),
}


def scenario_settings(value: dict[str, str]) -> dict[str, float | None]:
    """Return what the arguments say of the scenario, None for what it says itself."""
    rate = float(value['rate'])
    return {
        'drones': int(value['drones']) or None,
        'duration': float(value['duration']) or None,
        'frame_rate': rate or None,
        'odometry_rate': max(25.0, rate) if rate else None,
        'seed': None if value['seed'] == '-1' else int(value['seed']),
    }


def start_demo(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Write the scenario's team file and start everything."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    given = scenario_settings(value)
    scenario = load_scenario(value['scenario'], **given)
    folder = tempfile.mkdtemp(prefix='mav_perception_')
    team_file = str(Path(folder) / 'team.yaml')
    save_team(scenario_team(scenario), Path(team_file))
    team = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / 'launch/team.launch.py')),
        launch_arguments=[
            ('team_file', team_file),
            ('image_qos', 'reliable'),  # the simulator waits, so nothing may get lost
            ('use_sim_time', 'true'),
            *((name, value[name]) for name in OF_TEAM),
        ],
    )
    flight = {k: v for k, v in given.items() if v is not None} | {
        'scenario': as_text(value['scenario']),
        'listeners': ['localization_node', 'monitor_node'],
    }
    simulation = Node(
        package='mav_perception',
        executable='simulation_node',
        output='screen',
        parameters=[str(SHARE / 'config/simulation.yaml'), flight],
        additional_env=ENDS_WITH_LAUNCH,
    )
    monitor = monitor_of(scenario, value, team_file)
    return [team, monitor, simulation, removed_at_the_end(folder)]


def monitor_of(scenario: Scenario, value: dict[str, str], team_file: str) -> Node:
    """Return the node with the table and the report, whose end is that of the launch."""
    about = {
        'scenario': f'{value["scenario"]}, {scenario.drones} drones',
        'seed': str(scenario.seed),
        'model': value['model'],
        'command': 'ros2 launch mav_perception demo.launch.py',
    }
    parameters = {
        'team_file': team_file,
        'duration': scenario.duration,
        'output': as_text(value['output']),
        'qos': 'reliable',  # as the simulator publishes
        'about': as_text(json.dumps(about)),
    }
    return Node(
        package='mav_perception',
        executable='monitor_node',
        output='screen',
        parameters=[str(SHARE / 'config/monitor.yaml'), parameters],
        additional_env=ENDS_WITH_LAUNCH,
        sigterm_timeout='60',  # it draws the report
        sigkill_timeout='60',
        on_exit=Shutdown(reason='the flight is over'),
    )


def as_text(value: str) -> ParameterValue:
    """Return a parameter that is a text: a folder may be called 2026."""
    return ParameterValue(value, value_type=str)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the demo."""
    return LaunchDescription([*declared(ARGUMENTS), OpaqueFunction(function=start_demo)])
