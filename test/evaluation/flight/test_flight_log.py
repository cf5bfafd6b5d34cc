"""Scoring and drawing of a live flight."""

import numpy as np
import pytest

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.flight.flight_log import DroneLog, record_flight, score_flight


def log_of(start_error, estimate_error):
    """Fly along x for 10 s with constant errors."""
    log = DroneLog(np.array([0.0, start_error, 0.0, 0.0]))
    for k in range(101):
        stamp, x = k * 10**8, 0.1 * k
        log.truth.append((stamp, np.array([x, 0.0, 1.0, 0.0])))
        log.roll_pitch.append((stamp, np.zeros(2)))
        log.odometry.append((stamp, np.array([x, 0.0, 0.0, 0.0])))
        if k % 5 == 0:
            log.estimate.append((stamp, np.array([x, estimate_error, 1.0, 0.0])))
            log.covariance.append(0.01 * np.eye(4))
    log.start[2] = 1.0
    return log


def test_known_errors_come_out():
    logs = [log_of(0.0, 0.0), log_of(0.5, 0.1)]
    score = score_flight(logs)
    assert score.drone_position == pytest.approx((0.0, 0.1))
    assert score.drone_vio_position == pytest.approx((0.0, 0.5))
    assert score.position == pytest.approx(0.1 / np.sqrt(2))
    assert score.figures()['vio_position'] == pytest.approx(0.5 / np.sqrt(2), abs=1e-4)
    latest = logs[1].latest()
    assert latest.error == pytest.approx(0.1)
    assert latest.sigma == pytest.approx(np.sqrt(0.03))


def test_without_estimates_there_is_no_score():
    silent = log_of(0.0, 0.0)
    silent.estimate.clear()
    assert score_flight([log_of(0.0, 0.0), silent]) is None
    assert np.isnan(silent.latest().error)


def test_vio_alone_of_an_unknown_start_begins_at_the_truth():
    logs = [log_of(0.0, 0.0), log_of(0.5, 0.1)]
    logs[1].start = np.full(4, np.nan)
    score = score_flight(logs)
    assert score.drone_vio_position[1] == pytest.approx(0.0, abs=1e-9)
    assert logs[1].start == pytest.approx([0.0, 0.0, 1.0, 0.0])


def test_a_drone_that_falls_silent_does_not_end_the_score():
    silent, other = log_of(0.0, 0.0), log_of(0.0, 0.0)
    silent.odometry, silent.estimate = silent.odometry[:11], silent.estimate[:2]
    late, far = len(other.estimate) - 4, np.array([0.0, 50.0, 0.0, 0.0])
    other.estimate[late:] = [(s, pose + far) for s, pose in other.estimate[late:]]
    assert score_flight([silent, other]).drone_position[1] > 10.0


def test_errors_end_where_nobody_knows_the_truth():
    stopped = log_of(0.0, 0.1)
    stopped.truth, stopped.roll_pitch = stopped.truth[:51], stopped.roll_pitch[:51]
    score = score_flight([log_of(0.0, 0.0), stopped])
    assert score.drone_position[1] == pytest.approx(0.1)  # the motion capture stopped half way
    record = record_flight(('a',), [stopped], 'one', {}, np.zeros(0), AssociationLog(1))
    assert np.isnan(record.drones[0].errors()[-1]).all()


def test_the_picture_is_drawn(tmp_path):
    pytest.importorskip('matplotlib', reason='pictures need matplotlib')
    from mav_perception.evaluation.report.plots import plot_flight

    logs = [log_of(0.0, 0.1), log_of(0.3, 0.0)]
    record = record_flight(('a', 'b'), logs, 'two', {}, np.zeros(0), AssociationLog(2))
    plot_flight(record, tmp_path / 'tracks.png')
    assert (tmp_path / 'tracks.png').stat().st_size > 20_000
