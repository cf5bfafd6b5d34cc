"""benchmark and replay on the command line: tables, JSON, wrong use."""

import json

import pytest

from mav_perception.cli import build_parser, main
from mav_perception.commands.benchmark_robustness import tasks
from mav_perception.evaluation.benchmark.baselines import BASELINES
from mav_perception.evaluation.benchmark.monte_carlo import run_seed, summarise, summary_table
from mav_perception.evaluation.benchmark.sensor_setup import SensorSetup
from mav_perception.simulation.flight.flight import fly
from mav_perception.simulation.flight.scenario_files import load_scenario

pytestmark = pytest.mark.flight


@pytest.fixture
def short(tmp_path):
    """Write a scenario that takes seconds."""
    path = tmp_path / 'short.yaml'
    path.write_text('{text: a short flight, drones: 3, duration: 12, frame_rate: 4}')
    return str(path)


def test_every_rival_is_scored_and_the_ratio_is_to_identities_known(short):
    figures = summarise([run_seed((short, seed, SensorSetup())) for seed in (0, 1)])
    assert set(figures) == {'dead_reckoning', *BASELINES}
    assert figures['cpdaf']['lost'] == 0
    assert figures['labelled']['team_shape_mean'] < figures['dead_reckoning']['team_shape_mean']
    table = summary_table(figures)
    assert table.count('\n') == len(figures)
    assert '1.00' in table.splitlines()[-1]
    json.dumps(figures, allow_nan=False)


def test_delayed_frames_give_the_same_error(short):
    recording, parameters = SensorSetup().fly(load_scenario(short))
    late = fly(load_scenario(short, frame_delay=0.3))
    stamps = [f.sightings.stamp_ns for f in late.frames]
    assert stamps != sorted(stamps)
    from mav_perception.evaluation.benchmark.comparison import score
    from mav_perception.evaluation.playback import play

    axes = (0, 1, 2, 3)
    shapes = [
        score(r, play(r, BASELINES['cpdaf'].build(r, parameters)), axes).team_shape
        for r in (recording, late)
    ]
    assert shapes[1] == pytest.approx(shapes[0], rel=0.05)


def test_the_command_runs_in_processes_and_writes_json(tmp_path, capsys):
    path = tmp_path / 'figures.json'
    arguments = ['benchmark', 'localization', '--scenario', 'late', '--seeds', '1']
    assert main([*arguments, '--json', str(path)]) == 0
    figures = json.loads(path.read_text())['late']
    assert figures['cpdaf']['wrong_commits'] == 0
    assert 'team-shape RMSE' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'word'),
    [
        (['benchmark', 'localization', '--scenario', 'moon'], 'No scenario'),
        (['benchmark', 'robustness', 'mrclam', '/nowhere', '--offsets', '-1'], 'negative'),
        (['benchmark', 'robustness', 'mrclam', '/nowhere', '--clutter', '2'], 'from 0 to 1'),
        (['benchmark', 'robustness', 'mrclam', '/nowhere'], 'Barcodes'),
        (['benchmark', 'robustness', 'bag', '/nowhere'], '--team'),
        (['benchmark', 'robustness', 'mrclam', '/nowhere', '--team', 'team.yaml'], '--team'),
        (['replay', 'euroc', '/nowhere'], 'has no MH_01_truth'),
        (['replay', 'euroc', '/nowhere', '--flights', 'A,A'], 'different'),
    ],
)
def test_wrong_use_is_named(arguments, word, capsys):
    assert main(arguments) == 2
    assert word in capsys.readouterr().err


@pytest.mark.parametrize(
    ('arguments', 'word'),
    [
        (['benchmark', 'localization', '--seeds', '0'], '0 must be 1 or more'),
        (['benchmark', 'robustness', 'euroc', 'DIR', '--processes', '-1'], '-1 must be 1 or more'),
        (['dataset', 'split', 'a', 'b', '--seed', '-1'], '-1 must be 0 or more'),
        (['replay', 'mrclam', 'a', '--seed', 'x'], "invalid whole number value: 'x'"),
    ],
)
def test_numbers_that_count_something_are_checked_by_the_parser(arguments, word, capsys):
    with pytest.raises(SystemExit, match='2'):
        main(arguments)
    assert word in capsys.readouterr().err


def test_a_robustness_benchmark_runs_every_kind_with_every_seed():
    given = '--vio mono stereo --noise hard nominal --offsets 0 60 --changes dropped --seeds 2'
    parser = build_parser('benchmark')
    runs = tasks(parser.parse_args(['benchmark', 'robustness', 'euroc', 'DIR', *given.split()]))
    names = ['mono hard', 'mono nominal', 'stereo hard', 'stereo nominal']
    assert list(dict.fromkeys(run.name for run in runs)) == names
    assert len(runs) == len({(run.name, run.offset, run.seed) for run in runs}) == 16
    assert {run.load.args[-1] for run in runs if run.seed == 1} == {1}
