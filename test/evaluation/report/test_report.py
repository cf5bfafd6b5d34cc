"""A run is kept, comes back, and fits on one page that needs nothing from outside."""

import csv
import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mav_perception.cli import main
from mav_perception.errors import DataError
from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.benchmark.comparison import score
from mav_perception.evaluation.metrics.team_errors import drone_nees
from mav_perception.evaluation.playback import play
from mav_perception.evaluation.report.playback_record import record_playback
from mav_perception.evaluation.report.report import write_report
from mav_perception.evaluation.report.run_record import Picture, load_run, save_run
from mav_perception.evaluation.report.words import two_digits
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Scenario


@pytest.fixture(scope='module')
def record():
    scenario = Scenario(drones=3, duration=12.0, seed=1)
    recording = fly(scenario)
    parameters = matching_parameters(scenario)
    joint_filter = CoupledPdaFilter(recording.team, parameters)
    associations = AssociationLog(3)
    estimate = play(recording, joint_filter, saw=associations.saw)
    told = record_playback('three <drones>', recording, estimate, associations, parameters)
    figures = score(recording, estimate, told.axes)
    return replace(
        told,
        figures=figures.errors.figures(),
        baselines={'cpdaf': figures.figures()},
        score=figures.errors,
        pictures=(Picture('mav1 at 2.0 s', cv2.imencode('.jpg', np.zeros((8, 8)))[1].tobytes()),),
    )


def test_every_sighting_is_counted_and_most_are_taken_for_whom_they_show(record):
    assert record.confusion.shape == (4, 4)
    assert np.trace(record.confusion[:3, :3]) > 0.9 * record.confusion[:3, :3].sum()
    assert len(record.nis) > 100
    assert 0.6 < record.nis[:, 0].sum() / record.nis[:, 1].sum() < 1.4


def test_a_run_comes_back(record, tmp_path):
    save_run(record, tmp_path)
    back = load_run(tmp_path)
    assert back.title == record.title
    assert [d.name for d in back.drones] == ['mav1', 'mav2', 'mav3']
    for one, other in zip(record.drones, back.drones, strict=True):
        np.testing.assert_allclose(other.errors(), one.errors(), atol=1e-6)
        np.testing.assert_allclose(other.covariance, one.covariance)
    np.testing.assert_allclose(back.nis, record.nis)


def test_the_page_shows_all_of_it_and_loads_nothing(record, tmp_path, capsys):
    save_run(record, tmp_path / 'run')
    page = tmp_path / 'page.html'
    assert main(['evaluate', 'run', str(tmp_path / 'run'), '--report', str(page)]) == 0
    assert 'mav3' in capsys.readouterr().out
    text = page.read_text()
    for title in (
        'Tracks',
        'Error and sigma',
        'NEES',
        'NIS',
        'Association',
        'Latency',
        'baselines',
    ):
        assert f'{title}' in text
    assert 'three &lt;drones&gt;' in text
    assert text.count('src="data:image/png;base64,') == 6
    assert text.count('src="data:image/jpeg;base64,') == 1
    outside = re.findall(r'<(?:img|script|link|a)[^>]* (?:src|href)="(?!data:)([^"]*)"', text)
    assert outside  # links to the trajectories, which lie beside the page
    assert all((page.parent / file).is_file() for file in outside)
    assert page.stat().st_size < 5e6


def test_terminal_json_and_page_tell_the_same_errors(record, tmp_path, capsys):
    save_run(record, tmp_path / 'run')
    page = tmp_path / 'page.html'
    main(['evaluate', 'run', str(tmp_path / 'run'), '--report', str(page)])
    terminal, text = capsys.readouterr().out, page.read_text()
    words = json.loads((tmp_path / 'run' / 'run.json').read_text())
    for value in words['score']['drone_position']:
        assert two_digits(value) in terminal
        assert f'<td>{two_digits(value)}</td>' in text
    assert words['score']['team_shape'] == words['figures']['team_shape']


def test_poses_are_kept_as_a_table_too(record, tmp_path):
    save_run(record, tmp_path)
    with (tmp_path / 'poses.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == sum(len(drone.estimate.stamps) for drone in record.drones)
    last, drone = rows[-1], record.drones[-1]
    assert (last['drone'], int(last['stamp_ns'])) == (drone.name, drone.estimate.stamps[-1])
    assert float(last['y']) == pytest.approx(drone.estimate.poses[-1, 1], abs=1e-6)
    assert float(last['sigma_x']) == pytest.approx(drone.covariance[-1, 0, 0] ** 0.5, abs=1e-6)


def test_runs_are_put_side_by_side(record, tmp_path, capsys):
    save_run(record, tmp_path / 'one')
    save_run(replace(record, about={'seed': '7'}), tmp_path / 'two')
    page = tmp_path / 'page.html'
    folders = [str(tmp_path / name) for name in ('one', 'two')]
    assert main(['evaluate', 'compare', *folders, '--report', str(page)]) == 0
    said, text = capsys.readouterr().out, page.read_text()
    shape = two_digits(record.score.team_shape)
    (line,) = (line for line in said.splitlines() if line.startswith('RMSE of the shape'))
    assert line.split()[-2:] == [shape, shape]
    assert text.count('src="data:image/png;base64,') == 12
    assert '<td>7</td>' in text


def test_sections_without_data_are_left_out(record, tmp_path):
    bare = replace(record, nis=np.zeros((0, 2)), confusion=np.zeros((0, 0)), baselines={})
    write_report(bare, tmp_path / 'page.html')
    text = (tmp_path / 'page.html').read_text()
    assert '<h2>NIS' not in text
    assert '<h2>Association' not in text


def test_a_drone_with_one_pose_and_one_on_a_plane_fit_on_the_page(record, tmp_path):
    from mav_perception.recordings.recording import PosePath

    drone = record.drones[0]
    first = PosePath(drone.estimate.stamps[:1], drone.estimate.poses[:1])
    late = replace(drone, estimate=first, covariance=drone.covariance[:1])
    plane = replace(record, drones=(late, *record.drones[1:]), axes=(0, 1, 3))
    write_report(plane, tmp_path / 'page.html')
    assert '<td>mav1</td>' in (tmp_path / 'page.html').read_text()


def test_nees_of_a_true_covariance_is_one():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    covariance = root @ root.T
    error = rng.multivariate_normal(np.zeros(4), covariance, 4000)
    nees = drone_nees(error, np.repeat(covariance[None], 4000, 0))
    assert nees.mean() == pytest.approx(1.0, rel=0.05)


def test_what_is_no_run_is_refused(record, tmp_path):
    with pytest.raises(DataError, match='is no folder of a run'):
        load_run(tmp_path)
    save_run(record, tmp_path)
    (tmp_path / 'run.npz').write_bytes(b'PK broken')
    with pytest.raises(DataError, match='is no folder of a run'):
        load_run(tmp_path)


def test_a_run_removes_pictures_of_the_run_before_and_no_others(record, tmp_path):
    for name in ('picture_holiday.jpg', 'picture_7.jpg'):
        (tmp_path / name).write_bytes(b'mine')
    save_run(replace(record, pictures=(Picture('one', b'1'), Picture('two', b'2'))), tmp_path)
    save_run(replace(record, pictures=(Picture('other', b'3'),)), tmp_path)
    left = {file.name: file.read_bytes() for file in tmp_path.glob('picture_*')}
    assert left == {
        'picture_0.jpg': b'3', 'picture_7.jpg': b'mine', 'picture_holiday.jpg': b'mine'
    }  # fmt: skip
