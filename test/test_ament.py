"""The linters of ament, where ROS brings them: ruff and mypy stand for the others."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def test_package_and_launch_files_are_valid_xml():
    # Not for the whole module: plugins of ROS import modules to look into them.
    xmllint = pytest.importorskip('ament_xmllint.main', reason='ament_xmllint comes with ROS 2')
    assert xmllint.main(argv=[str(REPOSITORY / name) for name in ('package.xml', 'launch')]) == 0
