"""Rules of the house that a machine can check."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from mav_perception import __version__
from mav_perception.localization.team.team_file import load_team
from mav_perception.parameters import describe

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / 'mav_perception'
ROS_PREFIXES = (
    'rclpy',
    'tf2_msgs',
    'vision_msgs',
    'launch',
    'ament_index_python',
    'rosgraph_msgs',
)


def imported_modules(path):
    """Return the top-level names of all modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split('.')[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split('.')[0]


def is_ros(module):
    """Tell whether a module belongs to ROS."""
    return module in ROS_PREFIXES or module.endswith(('_msgs', '_interfaces'))


def test_only_the_ros_folder_imports_ros():
    files = [p for p in PACKAGE.rglob('*.py') if PACKAGE / 'ros' not in p.parents]
    offenders = {str(p): m for p in files for m in imported_modules(p) if is_ros(m)}
    assert len(files) > 40
    assert offenders == {}
    assert any(
        is_ros(m) for m in imported_modules(PACKAGE / 'ros' / 'nodes' / 'localization_node.py')
    )


def test_core_does_not_import_the_ros_folder():
    for path in PACKAGE.rglob('*.py'):
        if PACKAGE / 'ros' not in path.parents:
            assert 'mav_perception.ros' not in path.read_text(), path


def test_files_stay_short():
    long = {
        p.name: n for p in PACKAGE.rglob('*.py') if (n := len(p.read_text().split('\n'))) > 250
    }
    assert long == {}


MAX_LINES = 40
"""Of a function, its docstring aside."""

TABLES = ('add_arguments', '_add_common', 'entries')
"""Functions that are tables: argument parsers and the list of benchmarks."""


def code_lines(function):
    """Return the lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


def own_sources():
    """Return the Python files of the package and of what is built on it."""
    folders = (PACKAGE, *(REPOSITORY / name for name in ('benchmarks', 'launch', 'examples')))
    return [path for folder in folders for path in sorted(folder.rglob('*.py'))]


def test_functions_stay_short():
    long = {
        f'{path.name}:{node.name}': code_lines(node)
        for path in own_sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name not in TABLES
    }
    assert len(long) > 800
    assert {name: lines for name, lines in long.items() if lines > MAX_LINES} == {}


def large_dataclasses():
    """Return the names of dataclasses with more than four fields."""
    names = set()
    for path in PACKAGE.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and any(
                'dataclass' in ast.dump(decorator) for decorator in node.decorator_list
            ):
                fields_of_class = [item for item in node.body if isinstance(item, ast.AnnAssign)]
                names |= {node.name} if len(fields_of_class) > 4 else set()
    return names


def test_dataclasses_of_more_than_four_fields_are_built_by_keyword():
    large = large_dataclasses()
    assert len(large) > 30
    offenders = [
        f'{path.name}:{node.lineno} {node.func.id}'
        for path in own_sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in large
        and (len(node.args) > 4 or any(isinstance(a, ast.Starred) for a in node.args))
    ]
    assert offenders == []


def test_nodes_ask_the_localizer_and_never_reach_through_it():
    for path in (PACKAGE / 'ros').rglob('*.py'):
        assert 'localizer.filter' not in path.read_text(), path


NODE_CONFIGS = sorted(
    p.stem for p in (REPOSITORY / 'config').glob('*.yaml') if not p.stem.startswith('team')
)


@pytest.mark.parametrize('node', NODE_CONFIGS)
def test_yaml_matches_declared_parameters(node):
    document = yaml.safe_load((REPOSITORY / 'config' / f'{node}.yaml').read_text())
    assert list(document) == ['/**'], 'keyed /** so that it works in every namespace'
    values = document['/**']['ros__parameters']
    pytest.importorskip('rclpy', reason='the node parameters live in mav_perception/ros')
    from mav_perception.ros.parameter_reference import NODE_PARAMETERS

    declared = {f.name: f for kind in NODE_PARAMETERS[node] for f in fields(kind)}
    assert set(values) <= set(declared)
    for name, value in values.items():
        default, description = declared[name].default, describe(declared[name])
        like = list if isinstance(default, tuple) else type(default)
        assert type(value) is like, f'{name}: {value!r} is not like {default!r}'
        if description.low is not None:
            assert value >= description.low, name
        if description.high is not None:
            assert value <= description.high, name


def test_team_yaml_loads():
    entries = load_team(REPOSITORY / 'config' / 'team.yaml')
    assert [e.name for e in entries] == ['mav1', 'mav2', 'mav3', 'mav4']


def test_parameter_reference_is_up_to_date():
    pytest.importorskip('rclpy', reason='the node parameters live in mav_perception/ros')
    from mav_perception.ros.parameter_reference import reference

    assert (REPOSITORY / 'doc' / 'parameters.md').read_text() == reference(), 'make reference'


def test_every_file_tells_the_same_version():
    patterns = {
        'package.xml': r'<version>(.+)</version>',
        'setup.py': r"version='(.+)'",
        'CITATION.cff': r'(?m)^version: (.+)$',
        'CHANGELOG.rst': r'(?m)^(\d+\.\d+\.\d+) \(',
    }
    for name, pattern in patterns.items():
        assert re.search(pattern, (REPOSITORY / name).read_text())[1] == __version__, name
