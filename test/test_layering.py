"""No import goes up a floor: the folders show the way of the data, and a machine holds them to it.

`FLOORS` lists the package from the ground up. A file may import from its own floor and from those
below, wherever in the file the import stands. Within a floor of several entries, and between the
stages of `localization`, the same rule holds.
"""

import ast
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = 'mav_perception'

FLOORS = (
    # What everything speaks in.
    ('lazy_exports',),
    ('types', 'errors', 'topics'),
    ('geometry', 'parameters', 'resources'),
    # File formats that know nothing of drones, and cameras.
    ('io',),
    ('cameras.fisheye',),
    ('cameras',),
    # Image -> mask -> detections.
    ('segmentation',),
    ('io.labelled_images', 'detection'),
    # Relative measurements -> association -> joint state -> poses.
    ('localization.parameters', 'localization.correlation'),
    ('localization.team.camera_mount',),
    ('localization.team',),
    ('localization.odometry',),
    ('localization.measurement',),
    ('localization.static_objects.static_objects',),
    ('localization.hypotheses',),
    ('localization.state',),
    ('localization.joining',),
    ('localization.prediction',),
    ('localization.association',),
    ('localization.static_objects',),
    ('localization.update',),
    ('localization.timing',),
    ('localization.coupled_pda',),
    ('localization.queries',),
    ('localization.initialization',),
    ('localization.lost_drones', 'localization.integrity'),
    ('localization.notices',),
    ('localization.localizer',),
    ('localization.checkpoint', 'localization'),
    # Flights: recorded, simulated, published by others.
    ('recordings',),
    ('simulation',),
    ('datasets',),
    # Scores and weights.
    ('evaluation',),
    ('training',),
    # What runs.
    ('processes',),
    ('ros.messages',),
    ('ros.runtime',),
    ('ros.localization', 'ros.stages', 'ros.monitor', 'ros.simulation'),
    ('ros.nodes',),
    ('ros.node_entry',),
    ('ros',),
    ('ros.nodes.doctor_node',),
    ('commands', 'cli'),
)

OUTSIDE = ('benchmarks', 'launch', 'examples', 'doc')
"""Above all floors: they use the package as a user does."""


def source_files():
    """Return every Python file of the package and of what is built on it."""
    files = [REPOSITORY / 'setup.py']
    for folder in (PACKAGE, *OUTSIDE):
        files += sorted((REPOSITORY / folder).rglob('*.py'))
    return [path for path in files if '_build' not in path.parts]


def module_of(path):
    """Return the dotted name of a file below the package, such as 'localization.state'."""
    parts = path.relative_to(REPOSITORY / PACKAGE).with_suffix('').parts
    return '.'.join(part for part in parts if part != '__init__')


def imports_of(path):
    """Yield the modules of the package that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f'{node.module}.{alias.name}' for alias in node.names]
        else:
            continue
        yield from (
            name.removeprefix(f'{PACKAGE}.') for name in names if name.startswith(f'{PACKAGE}.')
        )


def floor_of(module):
    """Return the floor of a module by its longest listed prefix, None if it has none."""
    parts = module.split('.')
    for length in range(len(parts), 0, -1):
        for floor, names in enumerate(FLOORS):
            if '.'.join(parts[:length]) in names:
                return floor
    return None


def offenders():
    """Return (importing file, imported module) wherever an import goes up."""
    found = set()
    for path in sorted((REPOSITORY / PACKAGE).rglob('*.py')):
        own = floor_of(module_of(path))
        for name in imports_of(path) if own is not None else ():
            above = floor_of(name)
            if above is not None and above > own:
                found.add((module_of(path), name.rsplit('.', 1)[0]))
    return found


def test_no_import_goes_up_a_floor():
    assert offenders() == set()


def test_every_file_has_a_floor():
    files = [p for p in (REPOSITORY / PACKAGE).rglob('*.py') if p.name != '__init__.py']
    assert len(files) > 100
    assert [str(p) for p in files if floor_of(module_of(p)) is None] == []


def test_what_is_built_on_the_package_is_imported_by_nobody_in_it():
    for path in (REPOSITORY / PACKAGE).rglob('*.py'):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                # The launch of ROS has the name of our folder, which nobody can import.
                assert node.module.split('.')[0] not in set(OUTSIDE) - {'launch'}, path


def test_a_camera_on_board_loads_neither_filter_nor_evaluation():
    folders = ('messages', 'stages', 'runtime')
    files = [p for name in folders for p in (REPOSITORY / PACKAGE / 'ros' / name).glob('*.py')]
    heavy = [
        (path.stem, name)
        for path in files
        if path.stem not in ('markers', 'checkpoint_file')  # of localization_node
        for name in imports_of(path)
        if name.startswith(('localization', 'evaluation'))
    ]
    assert len(files) > 20
    assert heavy == []
