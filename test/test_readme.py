"""Every command that README and documentation show is one that works, and the quick ones run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from mav_perception.cli import COMMANDS as NAMES
from mav_perception.cli import build_parser, main
from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.metrics.model_evaluation import rendered_samples
from mav_perception.evaluation.playback import play
from mav_perception.evaluation.report.playback_record import record_playback
from mav_perception.evaluation.report.run_record import save_run
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.team.team_file import save_team
from mav_perception.processes.node_processes import ros_environment
from mav_perception.simulation.flight.flight import fly, matching_parameters, scenario_team
from mav_perception.simulation.flight.scenario import Scenario

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


@pytest.mark.flight
@pytest.mark.parametrize('script', sorted((ROOT / 'examples').glob('*.py')), ids=lambda p: p.stem)
def test_examples_run(script):
    answer = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout


@pytest.fixture(scope='module')
def workplace(tmp_path_factory):
    """Return a folder with what the commands of the texts read: a run, images, labels, a team."""
    folder = tmp_path_factory.mktemp('readme')
    scenario = Scenario(drones=2, duration=5.0)
    recording, associations = fly(scenario), AssociationLog(2)
    parameters = matching_parameters(scenario)
    joint_filter = CoupledPdaFilter(recording.team, parameters)
    estimate = play(recording, joint_filter, saw=associations.saw)
    save_run(
        record_playback('quick', recording, estimate, associations, parameters),
        folder / 'demo_output/run',
    )
    for kind in ('truth', 'estimate'):
        name = f'mav1.{kind}.tum'
        (folder / name).write_bytes((folder / 'demo_output/run' / name).read_bytes())
    for kind, picture in zip(('images', 'labels'), next(iter(rendered_samples(1))), strict=True):
        (folder / 'mine/val' / kind).mkdir(parents=True)
        cv2.imwrite(str(folder / 'mine/val' / kind / '0.png'), picture)
    (folder / 'pictures').mkdir()
    (folder / 'pictures/0.png').write_bytes((folder / 'mine/val/images/0.png').read_bytes())
    save_team(scenario_team(scenario), folder / 'team.yaml')
    (folder / 'my_params.yaml').write_text('/**: {ros__parameters: {max_hypotheses: 3}}\n')
    return folder


QUICK = {
    'doctor --model drone --team team.yaml --params my_params.yaml': {'drone ': 'sim '},
    'evaluate trajectories --truth mav1.truth.tum --estimate mav1.estimate.tum': {},
    'evaluate run demo_output/run --report report.html': {},
    'evaluate segmentation --model drone --data DIR --json figures.json': {'DIR': 'mine/val'},
    'dataset check DIR --labels drone': {'DIR': 'mine/val'},
    'segment pictures/ --model drone --output seen': {},
    'benchmark localization --scenario hard unknown5 --seeds 20 --json figures.json': {
        'hard unknown5': 'easy', '20': '1 --processes 1',
    },
}  # fmt: skip
"""Commands of the texts, and what is put in place of what to be quick or to be there."""


@pytest.mark.flight
@pytest.mark.parametrize('command', QUICK)
def test_quick_commands_run(command, workplace, monkeypatch, capsys):
    assert f'mav-perception {command}' in COMMANDS
    for name, value in ros_environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(workplace)
    for old, new in QUICK[command].items():
        command = command.replace(old, new)
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out


def test_every_picture_of_the_texts_is_there():
    for path in TEXTS:
        for picture in re.findall(r'!\[[^\]]*\]\(([^)]+)\)', path.read_text()):
            assert (path.parent / picture).is_file(), (path.name, picture)
