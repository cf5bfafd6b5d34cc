"""The command line: help for everything, and wrong use named with exit code 2."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from mav_perception.cli import COMMANDS, build_parser, main


@pytest.mark.parametrize('command', COMMANDS)
def test_every_command_explains_itself_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as ending:
        main([command, '--help'])
    assert ending.value.code == 0
    assert 'mav-perception ' + command in capsys.readouterr().out
    assert build_parser().prog == 'mav-perception'


@pytest.mark.parametrize(
    ('arguments', 'word'),
    [
        (['replay', 'mrclam', '/nowhere'], 'no Barcodes.dat'),
        (['replay', 'mrclam', '/nowhere', '--clutter', '7'], 'from 0 to 1'),
        (['replay', 'mrclam', '/nowhere', '--seconds', '-1'], 'must be positive'),
        (['segment', '/nowhere', '--model', 'drone'], 'does not exist'),
        (['segment', '/nowhere', '--model', 'nonsense'], 'No weights file'),
        (['evaluate', 'segmentation', '--model', 'drone', '--data', '/nowhere'], 'No images'),
        (['train', '/nowhere.yaml'], 'Cannot read'),
        (['export', '/nowhere.pt'], 'no checkpoint'),
        (['demo', '--drones', '1'], '2 to 20 drones'),
        (['demo', '--model', 'nonsense'], 'No weights file'),
    ],
)
def test_wrong_use_is_one_clear_line_and_exit_code_2(arguments, word, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert word in error
    assert error.startswith(f'mav-perception {arguments[0]}: ')
    assert 'Traceback' not in error


def test_segment_runs_on_a_folder_of_mixed_images(tmp_path):
    folder = tmp_path / 'images'
    folder.mkdir()
    rng = np.random.default_rng(0)
    cv2.imwrite(str(folder / 'grey.png'), rng.integers(0, 255, (100, 130), dtype=np.uint8))
    cv2.imwrite(str(folder / 'colour.jpg'), rng.integers(0, 255, (90, 70, 3), dtype=np.uint8))
    output = tmp_path / 'out'
    assert main(['segment', str(folder), '--model', 'sim', '--output', str(output)]) == 0
    mask = cv2.imread(str(output / 'masks' / 'grey.png'), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (100, 130)
    assert sorted(p.name for p in (output / 'overlays').iterdir()) == ['colour.jpg', 'grey.jpg']


def test_the_core_runs_where_ros_and_torch_are_missing():
    program = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('rclpy', 'torch', 'panda3d'):
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Absent())
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.cli import main
Segmenter.load('drone')
sys.exit(main(['train', 'config/training/drone.yaml']))
"""
    result = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2, result.stderr
    assert (
        'torch is not installed: pip install "mav_perception[train]", or ".[train]" in a checkout.'
        in result.stderr
    )


@pytest.mark.parametrize(
    ('arguments', 'usage', 'hint'),
    [
        (['dmeo'], 'usage: mav-perception', 'did you mean demo?'),
        (
            ['demo', '--scenari', 'nominal', '--drnes', '3'],
            'usage: mav-perception demo',
            '--drones?',
        ),
        (['replay', 'bag', 'x', '--tema', 'y'], 'usage: mav-perception replay bag', '--team?'),
        (['replay', 'mrclm', 'x'], 'usage: mav-perception replay', 'did you mean mrclam?'),
        (['segment', 'x', 'y', '--modl', 'z'], 'usage: mav-perception segment', '--model'),
    ],
)
def test_what_is_mistyped_is_named_with_the_usage_that_belongs_to_it(
    arguments, usage, hint, capsys
):
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert ending.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(usage)
    assert hint in error


def test_names_that_are_mistyped_are_named(capsys):
    assert main(['demo', '--scenario', 'nominl']) == 2
    assert 'did you mean nominal?' in capsys.readouterr().err
    assert main(['segment', 'x', '--model', 'sims']) == 2
    assert 'did you mean sim?' in capsys.readouterr().err


def test_the_shell_completes_commands(tmp_path):
    pytest.importorskip('argcomplete', reason='completion needs argcomplete')
    found = tmp_path / 'found'
    environment = {
        'COMP_LINE': 'mav-perception replay mr', 'COMP_POINT': '24', '_ARGCOMPLETE': '1',
        '_ARGCOMPLETE_STDOUT_FILENAME': str(found), 'PATH': os.environ['PATH'],
    }  # fmt: skip
    subprocess.run(
        [sys.executable, '-m', 'mav_perception.cli'], env=environment, check=False, timeout=60
    )
    assert 'mrclam' in found.read_text()
