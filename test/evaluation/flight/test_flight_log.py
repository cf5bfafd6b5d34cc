"""Scoring and drawing of a live flight."""

import numpy as np
import pytest

from mav_perception.evaluation.association_log import AssociationLog
from mav_perception.evaluation.flight.flight_log import DroneLog, record_flight, score_flight
from mav_perception.evaluation.report.run_events import run_events


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


def test_nobody_knows_the_truth_while_the_motion_capture_has_lost_the_drone():
    lost = log_of(0.0, 0.1)
    for rows in (lost.truth, lost.roll_pitch):
        del rows[41:80]
    for k in range(9, 16):  # it flies on elsewhere meanwhile
        stamp, pose = lost.estimate[k]
        lost.estimate[k] = stamp, pose + np.array([0.0, 30.0, 0.0, 0.0])
    score = score_flight([log_of(0.0, 0.0), lost])
    assert score.drone_position[1] == pytest.approx(0.1)
    assert score.team_shape < 0.1
    record = record_flight(('a',), [lost], 'one', {}, np.zeros(0), AssociationLog(1))
    errors = record.drones[0].errors()[:, 1]
    assert np.isnan(errors[9:16]).all()
    assert np.nanmax(errors) == pytest.approx(0.1)


def test_a_team_that_has_no_poses_any_more_is_lost_until_the_end():
    logs = [log_of(0.0, 0.0), log_of(0.0, 0.0)]
    for log in logs:
        del log.estimate[10:], log.covariance[10:]
    record = record_flight(('a', 'b'), logs, 'two', {}, np.zeros(0), AssociationLog(2))
    assert [event.kind for event in run_events(record)] == ['found', 'found', 'lost', 'lost']
    assert record.end_ns == 10 * 10**9


def test_a_vio_that_restarts_is_told_as_that_and_moves_no_pose():
    log = log_of(0.0, 0.05)
    log.odometry = [
        (s, pose - (s > 5 * 10**9) * np.array([5.1, 0, 0, 0])) for s, pose in log.odometry
    ]
    score = score_flight([log_of(0.0, 0.0), log])
    assert score.drone_position[1] < 0.1
    record = record_flight(('a',), [log], 'one', {}, np.zeros(0), AssociationLog(1))
    events = run_events(record)
    assert [event.kind for event in events] == ['found', 'VIO restart']
    assert events[1].stamp_ns == 51 * 10**8


def test_vio_alone_waits_for_an_instant_with_odometry_and_a_known_pose():
    log = log_of(0.0, 0.0)
    log.start, odometry = np.full(4, np.nan), log.odometry
    log.odometry = []
    assert np.isnan(log.latest().vio_error)  # truth and estimates, but no odometry yet
    log.odometry = odometry[60:]
    assert log.vio_alone().at(np.array([7 * 10**9]))[0] == pytest.approx([7.0, 0.0, 1.0, 0.0])


def test_the_picture_is_drawn(tmp_path):
    pytest.importorskip('matplotlib', reason='pictures need matplotlib')
    from mav_perception.evaluation.report.plots import plot_flight

    logs = [log_of(0.0, 0.1), log_of(0.3, 0.0)]
    record = record_flight(('a', 'b'), logs, 'two', {}, np.zeros(0), AssociationLog(2))
    plot_flight(record, tmp_path / 'tracks.png')
    assert (tmp_path / 'tracks.png').stat().st_size > 20_000
