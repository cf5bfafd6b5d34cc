"""What Rerun gets to see, read back from the file by its own command line."""

import re
import subprocess
import sys

import numpy as np
import pytest

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.flight.flight_log import DroneLog, record_flight
from mav_perception.evaluation.report.rerun_log import LiveRerun, RerunStream, write_rerun

pytest.importorskip('rerun', reason='rerun-sdk is an extra')

POSES = 11
ERROR = 0.25


def log_of(y):
    log = DroneLog(np.array([0.0, y, 1.0, 0.0]))
    for k in range(POSES):
        stamp, pose = 10**9 + k * 10**8, np.array([0.1 * k, y, 1.0, 0.0])
        log.truth.append((stamp, pose))
        log.odometry.append((stamp, np.array([0.1 * k, 0.0, 0.0, 0.0])))
        log.estimate.append((stamp, pose + np.array([0.0, ERROR, 0.0, 0.0])))
        log.covariance.append(0.01 * np.eye(4))
    return log


def rows(path):
    """Return how many rows the file has of every entity, and all its text."""
    words = [sys.executable, '-m', 'rerun', 'rrd', 'print', '-vvv', str(path)]
    text = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    counts = {}
    for number, entity in re.findall(r'^Chunk.* with (\d+) rows? .* - (/\S+) ', text, re.M):
        counts[entity] = counts.get(entity, 0) + int(number)
    return counts, text


def test_a_run_that_is_over_is_written_whole(tmp_path):
    logs = [log_of(0.0), log_of(2.0)]
    record = record_flight(('a', 'b'), logs, 'two', {}, np.zeros(0), AssociationLog(2))
    write_rerun(record, str(tmp_path / 'run.rrd'))
    counts, text = rows(tmp_path / 'run.rrd')
    for name in 'ab':
        assert [counts[f'/{kind}/{name}'] for kind in ('error', 'sigma')] == [POSES, POSES]
        assert counts[f'/map/{name}/estimate'] == POSES
        assert counts[f'/map/{name}/truth'] == counts[f'/map/{name}/vio'] == 1
    assert text.count(f'[{ERROR}]') == 2 * POSES


def test_live_every_pose_is_shown_once_and_the_end_has_whole_tracks(tmp_path, monkeypatch):
    monkeypatch.setattr(LiveRerun.update, '__defaults__', (3,))  # for the TRAIL points
    lengths, track = [], RerunStream.track

    def noted(stream, index, name, kind, points):
        lengths.append((kind, len(points)))
        track(stream, index, name, kind, points)

    monkeypatch.setattr(RerunStream, 'track', noted)
    live, growing, whole = LiveRerun(str(tmp_path / 'run.rrd')), DroneLog(np.zeros(4)), log_of(2.0)
    live.update([('b', growing)])  # nothing yet
    for end in (4, 4, POSES):
        for name in ('truth', 'odometry', 'estimate', 'covariance'):
            setattr(growing, name, getattr(whole, name)[:end])
        live.update([('b', growing)])
    live.finish([('b', growing)])
    counts, text = rows(tmp_path / 'run.rrd')
    assert counts['/error/b'] == counts['/map/b/estimate'] == POSES
    assert text.count(f'[{ERROR}]') == POSES
    assert lengths[-2:] == [('truth', POSES), ('vio', POSES)]
    assert max(length for _, length in lengths[:-2]) == 3


def test_without_a_truth_there_is_no_error(tmp_path):
    log = log_of(0.0)
    log.truth = []
    live = LiveRerun(str(tmp_path / 'run.rrd'))
    live.finish([('a', log)])
    counts, _ = rows(tmp_path / 'run.rrd')
    assert '/error/a' not in counts
    assert counts['/sigma/a'] == POSES
