"""A file is written whole or not at all; what is in the way is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mav_perception.cli import main
from mav_perception.errors import OutputError
from mav_perception.io.files import restored_on_failure, write_json, write_text, written_whole
from mav_perception.io.images import write_image

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason='mounting a small disk needs root')


def test_a_failure_leaves_the_earlier_file_and_no_part(tmp_path):
    path = tmp_path / 'a.json'
    write_text(path, 'old')
    with pytest.raises(OutputError, match=r'a\.json'), written_whole(path) as part:
        part.write_text('ne')
        raise OSError(28, 'No space left on device')
    assert path.read_text() == 'old'
    assert os.listdir(tmp_path) == ['a.json']


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(OutputError, match='gone'):
        write_text(tmp_path / 'gone' / 'a.txt', 'text')


def test_a_device_is_written_to_and_stays_one():
    write_text(Path(os.devnull), 'text')
    with pytest.raises(OutputError, match='No space left'):
        write_text(Path('/dev/full'), 'text' * 10_000)
    assert not os.path.isfile('/dev/full')


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of 200 kB, or skip."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    mounted = subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', str(folder)], check=False
    )
    if mounted.returncode:
        pytest.skip('no disk can be mounted here')
    yield folder
    subprocess.run(['umount', str(folder)], check=True)


@needs_root
def test_a_full_and_a_read_only_disk_end_in_a_sentence_and_exit_code_1(
    small_disk, tmp_path, capsys
):
    (tmp_path / 'pictures').mkdir()
    rng = np.random.default_rng(0)
    for index in range(3):
        noise = rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)
        write_image(tmp_path / 'pictures' / f'{index}.png', noise)
    command = ['segment', str(tmp_path / 'pictures'), '--model', 'drone_mavnet', '--output']
    assert main([*command, str(small_disk / 'out')]) == 1
    assert 'No space left' in capsys.readouterr().err
    for file in (small_disk / 'out').rglob('*.png'):
        assert cv2.imread(str(file)) is not None, 'half of an image was left'
    subprocess.run(['mount', '-o', 'remount,ro', str(small_disk)], check=True)
    assert main([*command, str(small_disk / 'other')]) == 1
    assert 'Read-only' in capsys.readouterr().err


def test_what_was_written_before_a_failure_is_taken_back(tmp_path):
    old, new = tmp_path / 'old', tmp_path / 'new'
    old.write_text('whole')
    with pytest.raises(ValueError, match='half'), restored_on_failure(old, new):
        old.write_text('changed')
        new.write_text('there')
        raise ValueError('half done')
    assert old.read_text() == 'whole'
    assert not new.exists()
    with restored_on_failure(old, new):
        old.write_text('changed')
    assert old.read_text() == 'changed'


def test_whoever_closes_the_pipe_sees_no_traceback():
    command = f'{sys.executable} -m mav_perception.cli doctor --seconds 0 | head -1'
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert 'Traceback' not in ended.stderr
    assert 'BrokenPipe' not in ended.stderr


def test_of_a_link_the_target_is_written_and_its_mode_stays(tmp_path):
    target, link = tmp_path / 'target.json', tmp_path / 'link.json'
    target.write_text('old')
    target.chmod(0o600)
    link.symlink_to(target)
    write_text(link, 'new')
    assert link.is_symlink()
    assert target.read_text() == 'new'
    assert target.stat().st_mode & 0o777 == 0o600


def test_what_json_has_no_number_for_is_null(tmp_path):
    write_json(tmp_path / 'a.json', {'one': [1.5, float('nan')], 'two': np.float64(np.inf)})
    assert json.loads((tmp_path / 'a.json').read_text()) == {'one': [1.5, None], 'two': None}
