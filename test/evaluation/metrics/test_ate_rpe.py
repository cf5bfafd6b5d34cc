"""ATE and RPE are those of evo on the same files."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mav_perception.cli import main
from mav_perception.errors import DataError
from mav_perception.evaluation.metrics.ate_rpe import trajectory_error
from mav_perception.io.tum import Trajectory, load_tum, save_tum


def wandering(seed, noise=0.0):
    """Return a path through space, with noise of its own."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0.0, 20.0, 200)
    positions = np.column_stack([np.sin(time), np.cos(0.7 * time), 0.3 * time])
    turns = Rotation.from_rotvec(np.column_stack([0.2 * np.sin(time), 0.1 * time, time]))
    drift = np.cumsum(rng.normal(size=(200, 3)), axis=0)
    turned = turns * Rotation.from_rotvec(noise * rng.normal(size=(200, 3)))
    stamps = (time * 1e9).astype(np.int64) + 10**9
    return Trajectory(stamps, positions + noise * drift, turned.as_quat())


@pytest.fixture
def files(tmp_path):
    truth, estimate = wandering(1), wandering(1, 0.05)
    away = Rotation.from_rotvec([0.1, -0.2, 1.3])
    moved = Trajectory(
        estimate.stamps[::2] + 2_000_000,
        away.apply(estimate.positions[::2]) + np.array([5.0, -2.0, 1.0]),
        (away * Rotation.from_quat(estimate.quaternions[::2])).as_quat(),
    )
    paths = tmp_path / 'truth.tum', tmp_path / 'estimate.tum'
    for trajectory, path in zip((truth, moved), paths, strict=True):
        save_tum(trajectory, path)
    return paths


@pytest.mark.parametrize('align', [True, False])
@pytest.mark.parametrize('swapped', [True, False])
def test_errors_are_those_of_evo(files, align, swapped):
    files = files[::-1] if swapped else files  # the estimate may be the denser one
    metrics = pytest.importorskip('evo.core.metrics', reason='evo is a test dependency')
    from evo.core import sync
    from evo.tools import file_interface

    mine = trajectory_error(*map(load_tum, files), align=align)
    truth, estimate = (file_interface.read_tum_trajectory_file(str(path)) for path in files)
    truth, estimate = sync.associate_trajectories(truth, estimate)
    relative = {}
    for relation in ('translation_part', 'rotation_angle_deg'):
        metric = metrics.RPE(getattr(metrics.PoseRelation, relation), 1, metrics.Unit.frames)
        metric.process_data((truth, estimate))
        relative[relation] = metric.get_statistic(metrics.StatisticsType.rmse)
    if align:
        estimate.align(truth)
    metric = metrics.APE(metrics.PoseRelation.translation_part)
    metric.process_data((truth, estimate))
    assert len(mine.errors) == len(metric.error) > 90
    assert mine.ate == pytest.approx(metric.get_statistic(metrics.StatisticsType.rmse), rel=1e-6)
    assert mine.rpe == pytest.approx(relative['translation_part'], rel=1e-6)
    assert mine.rpe_degrees == pytest.approx(relative['rotation_angle_deg'], rel=1e-5)


def test_files_without_common_stamps_are_refused(files):
    truth, estimate = map(load_tum, files)
    late = Trajectory(estimate.stamps + 10**12, estimate.positions, estimate.quaternions)
    with pytest.raises(DataError, match='on one clock'):
        trajectory_error(truth, late)


def test_the_command_prints_them_and_writes_a_page(files, tmp_path, capsys):
    given = ['evaluate', 'trajectories', '--truth', str(files[0]), '--estimate', str(files[1])]
    assert main([*given, '--report', str(tmp_path / 'page.html')]) == 0
    ate = trajectory_error(*map(load_tum, files)).ate
    assert f'{ate:.4f}' in capsys.readouterr().out
    assert f'{ate:.4f}' in (tmp_path / 'page.html').read_text()
    assert main([*given, str(files[1])]) == 2
