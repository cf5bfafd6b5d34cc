"""What a user of the core imports, and that nothing is imported before it is used."""

import subprocess
import sys

import pytest

import mav_perception
from mav_perception import localization


@pytest.mark.parametrize('package', [mav_perception, localization])
def test_every_exported_name_is_there(package):
    assert len(package.__all__) > 5
    assert package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
    with pytest.raises(AttributeError, match='nothing'):
        _ = package.nothing


def test_both_packages_export_the_same_objects():
    for name in localization.__all__:
        assert getattr(localization, name) is getattr(mav_perception, name)


@pytest.mark.parametrize(
    'code',
    [
        'import mav_perception',
        'import mav_perception.localization',
        'from mav_perception.cli import build_parser; build_parser(only="").format_help()',
    ],
)
def test_the_heavy_libraries_wait_until_they_are_needed(code):
    asked = f'import sys; {code}; print(*sorted(sys.modules))'
    loaded = subprocess.run(
        [sys.executable, '-c', asked], capture_output=True, text=True, check=True
    ).stdout.split()
    assert 'mav_perception' in loaded
    assert not {'numpy', 'scipy', 'cv2', 'torch', 'onnxruntime', 'rclpy', 'yaml'} & set(loaded)
