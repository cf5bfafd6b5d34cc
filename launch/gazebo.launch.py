"""A team in Gazebo: world, drones, bridge, pilot, and the same nodes as on real drones."""

import tempfile
from dataclasses import replace
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch.actions import IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from mav_perception.localization.team.team_file import save_team
from mav_perception.ros.runtime.launch_actions import (
    ENDS_WITH_LAUNCH,
    declared,
    removed_at_the_end,
)
from mav_perception.ros.runtime.launch_arguments import OF_TEAM, shared
from mav_perception.simulation.flight.flight import scenario_team
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.simulation.gazebo import bridge_entries, drone_model, world_name

SHARE = Path(get_package_share_directory('mav_perception'))

PASSED_ON = (*OF_TEAM, 'report')

ARGUMENTS = {
    **shared(*PASSED_ON),
    'world': ('arena', 'arena, tunnel, or the path of an .sdf world of your own.'),
    'gui': ('false', 'Open the window of Gazebo.'),
    'scenario': ('nominal', 'Flight paths: a shipped scenario, or the path of a scenario YAML.'),
    'drones': ('0', "Size of the team; 0 for the scenario's."),
    'seed': ('-1', "Decides the flight paths; -1 for the scenario's."),
}


def start_gazebo(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Write the drones' models and the bridge's configuration, and start everything."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    scenario = load_scenario(
        value['scenario'],
        drones=int(value['drones']) or None,
        seed=None if value['seed'] == '-1' else int(value['seed']),
        cameras=[{}],  # the model has one, as a drone of the embedded simulator by default
    )
    world, name = world_file(value['world'])
    folder = Path(tempfile.mkdtemp(prefix='mav_perception_'))
    team = scenario_team(scenario)
    # The odometry of Gazebo counts from the origin of the world.
    world_starts = tuple(replace(e, start=(0.0,) * 4, start_sigma=(0.01,) * 4) for e in team)
    save_team(world_starts, folder / 'team.yaml')
    (folder / 'gz_bridge.yaml').write_text(yaml.safe_dump(bridge_entries(scenario.names)))
    gazebo = open_gazebo(world, window=value['gui'] == 'true')
    spawned = [spawn(entry, name, folder) for entry in team]
    bridge = Node(
        package='ros_gz_bridge',
        executable='parameter_bridge',
        output='screen',
        parameters=[{'config_file': str(folder / 'gz_bridge.yaml')}],
    )
    flight = {'scenario': value['scenario'], 'drones': scenario.drones, 'seed': scenario.seed}
    pilot = Node(
        package='mav_perception',
        executable='pilot_node',
        output='screen',
        parameters=[flight | {'use_sim_time': True}],
        additional_env=ENDS_WITH_LAUNCH,
    )
    nodes = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / 'launch/team.launch.py')),
        launch_arguments=[
            ('team_file', str(folder / 'team.yaml')),
            ('use_sim_time', 'true'),
            *((name, value[name]) for name in PASSED_ON),
        ],
    )
    return [gazebo, *spawned, bridge, pilot, nodes, removed_at_the_end(folder)]


def world_file(world: str) -> tuple[Path, str]:
    """Return the file of a world, shipped or by its path, and the name that Gazebo knows it by."""
    own = world.endswith('.sdf')
    file = Path(world).expanduser() if own else SHARE / 'worlds' / f'{world}.sdf'
    return file, world_name(file)


def open_gazebo(world: Path, window: bool) -> IncludeLaunchDescription:
    """Start Gazebo with a world."""
    file = Path(get_package_share_directory('ros_gz_sim')) / 'launch/gz_sim.launch.py'
    options = '-r ' if window else '-r -s --headless-rendering '
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(file)),
        launch_arguments=[('gz_args', f'{options}{world}')],
    )


def spawn(entry, world: str, folder: Path) -> Node:
    """Put one drone into the world where its path begins."""
    file = folder / f'{entry.name}.sdf'
    file.write_text(drone_model(entry.name))
    x, y, _, yaw = (str(number) for number in entry.start)
    return Node(
        package='ros_gz_sim',
        executable='create',
        output='screen',
        arguments=[
            *('-world', world, '-file', str(file), '-name', entry.name),
            *('-x', x, '-y', y, '-z', '0.1', '-Y', yaw),
        ],
    )


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start Gazebo."""
    return LaunchDescription([*declared(ARGUMENTS), OpaqueFunction(function=start_gazebo)])
