"""Every command that README and documentation show is one that works, and the quick ones run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mav_perception.cli import COMMANDS as NAMES
from mav_perception.cli import build_parser, main
from mav_perception.commands.processes import ros_environment

ROOT = Path(__file__).parents[1]
TEXTS = sorted([ROOT / 'README.md', *(ROOT / 'doc').glob('*.md')])
STARTS = ('mav-perception ', 'make ', 'python ', 'ros2 launch ')


def commands():
    """Return every command in fences and in `code`, without comments and left-out parts."""
    found = set()
    for path in TEXTS:
        text = path.read_text()
        fences = re.findall(r'^```\w*\n(.*?)^```', text, re.S | re.M)
        lines = [line for fence in fences for line in fence.replace('\\\n', ' ').splitlines()]
        prose = re.sub(r'^```\w*\n.*?^```', '', text, flags=re.S | re.M)
        spans = [' '.join(span.split()) for span in re.findall(r'`([^`]+)`', prose)]
        for line in lines + spans:
            line = re.sub(r'\s+#.*', '', line.strip())
            if line.startswith(STARTS) and '...' not in line and '|' not in line:
                found.add(line)
    return sorted(found)


COMMANDS = commands()


def those(start):
    """Return the commands that begin so."""
    return [line for line in COMMANDS if line.startswith(start)]


def test_there_are_commands_of_every_kind():
    assert len(COMMANDS) > 30
    assert all(those(start) for start in STARTS)


@pytest.mark.parametrize('line', those('mav-perception '))
def test_options_of_the_command_line_exist(line):
    words = shlex.split(line)[1:]
    if len(words) == 1:  # only the name of a command
        assert words[0] in NAMES
        return
    build_parser().parse_args(words)


@pytest.mark.parametrize('line', those('make '))
def test_targets_of_make_exist(line):
    target = shlex.split(line)[1]
    assert re.search(rf'^{target}:.*##', (ROOT / 'Makefile').read_text(), re.M), line


@pytest.mark.parametrize('line', those('python '))
def test_scripts_and_their_options_exist(line):
    words = shlex.split(line.split(';')[0].split('&')[0])
    if words[1] == '-m':
        pytest.skip('a module')
    script = ROOT / words[1]
    assert script.is_file(), line
    text = script.read_text()
    for word in words[2:]:
        if word.startswith('--'):
            assert f"'{word}'" in text, (line, word)


@pytest.mark.parametrize('line', those('ros2 launch '))
def test_launch_files_and_their_arguments_exist(line):
    words = shlex.split(line)
    if words[3] == 'FILE':
        pytest.skip('a placeholder')
    text = (ROOT / 'launch' / words[3]).read_text()
    for argument in words[4:]:
        if ':=' in argument:
            name = argument.split(':=')[0]
            assert f"'{name}'" in text or f'<arg name="{name}"' in text, (line, name)


@pytest.mark.parametrize('script', sorted((ROOT / 'examples').glob('*.py')), ids=lambda p: p.stem)
def test_examples_run(script):
    answer = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout


def test_quick_commands_run(tmp_path, monkeypatch, capsys):
    for name, value in ros_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert main(['doctor', '--model', 'drone', '--seconds', '0']) == 0
    flight = ['--scenario', 'easy', '--seeds', '1', '--processes', '1']
    assert main(['benchmark', 'localization', *flight]) == 0
    assert 'cpdaf' in capsys.readouterr().out


def test_every_picture_of_the_texts_is_there():
    for path in TEXTS:
        for picture in re.findall(r'!\[[^\]]*\]\(([^)]+)\)', path.read_text()):
            assert (path.parent / picture).is_file(), (path.name, picture)
