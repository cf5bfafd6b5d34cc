"""The report of a live flight, with and without somebody who knows the truth."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.flight.flight_associations import AssociatedFrame
from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.evaluation.flight.flight_report import Flight
from mav_perception.evaluation.flight.frame_balance import FrameBalance
from mav_perception.evaluation.report.run_record import load_run
from mav_perception.localization.team.camera_mount import CameraMount


def log_of(y, truth=True, localized=True):
    log = DroneLog(np.array([0.0, y, 1.0, 0.0]))
    for k in range(41):
        stamp, pose = k * 10**8, np.array([0.1 * k, y, 1.0, 0.0])
        log.odometry.append((stamp, np.array([0.12 * k, 0.0, 0.0, 0.0])))
        if truth:
            log.truth.append((stamp, pose))
            log.roll_pitch.append((stamp, np.zeros(2)))
        if localized:
            log.estimate.append((stamp, pose + np.array([0.1, 0.0, 0.0, 0.0])))
            log.covariance.append(0.01 * np.eye(4))
    return log


def flight(*logs):
    mount = CameraMount.forward(np.zeros(3), np.zeros(3))
    frame = AssociatedFrame(10**9, 0, mount, np.array([[0.0, 0.0, 2.0]]), np.array([-1]), 2.0, 3)
    names = tuple(f'mav{k + 1}' for k in range(len(logs)))
    balances = tuple(FrameBalance(images=10, poses=6, dropped=3) for _ in logs)
    return Flight(names, list(logs), [frame], np.array([20.0, 30.0]), balances)


def test_with_a_truth_there_are_errors_and_a_verdict(tmp_path):
    flown = flight(log_of(0.0), log_of(2.0))
    assert flown.score.position == pytest.approx(0.1, rel=0.1)
    assert 'poses 6 of 10: 3 dropped for a newer one, 1 lost on the way' in '\n'.join(flown.text())
    files = flown.write(tmp_path)
    assert all(file.is_file() for file in files)
    figures = json.loads((tmp_path / 'summary.json').read_text())
    assert figures['latency_ms_p50'] == 25.0
    assert (figures['images'], figures['images_dropped'], figures['frames_lost']) == (20, 6, 2)
    assert figures['beats_vio'] is flown.beats_vio
    page = (tmp_path / 'report.html').read_text()
    assert '<h2>NEES' in page
    assert '<h2>Association' in page
    assert '2 drones, 4 s' in page


@pytest.mark.filterwarnings('error')
def test_without_a_truth_there_is_a_page_all_the_same(tmp_path):
    flown = flight(log_of(0.0, truth=False), log_of(2.0, truth=False))
    assert flown.score is None
    assert flown.beats_vio is None
    assert 'needs the truth' in flown.text()[0]
    flown.write(tmp_path)
    assert 'beats_vio' not in json.loads((tmp_path / 'summary.json').read_text())
    page = (tmp_path / 'report.html').read_text()
    assert 'Nobody knows the true paths' in page
    assert '<h2>NIS' in page
    assert '<h2>NEES' not in page
    assert '<h2>Association' not in page
    record = load_run(tmp_path / 'run')
    assert not record.has_truth
    assert [len(drone.estimate.stamps) for drone in record.drones] == [41, 41]


def test_a_drone_that_never_got_a_pose_is_named_and_left_out(tmp_path):
    flown = flight(log_of(0.0), log_of(2.0, localized=False))
    assert 'never localized: mav2' in flown.text()[0]
    flown.write(tmp_path)
    assert [drone.name for drone in load_run(tmp_path / 'run').drones] == ['mav1']


def test_a_flight_of_which_nothing_was_heard_has_a_summary_only(tmp_path):
    flown = flight(DroneLog(np.zeros(4)), DroneLog(np.zeros(4)))
    assert flown.write(tmp_path) == [tmp_path / 'summary.json']


def test_the_start_is_where_the_odometry_begins_however_late_it_is_heard():
    log = DroneLog(np.array([1.0, 2.0, 0.0, np.pi / 2]))
    log.odometry.append((5, np.array([3.0, 0.0, 1.0, 0.1])))
    np.testing.assert_allclose(log.vio_alone().poses[0], [1.0, 5.0, 1.0, np.pi / 2 + 0.1])


def test_a_model_that_sees_false_things_only_fails_the_flight():
    flown = flight(log_of(0.0), log_of(2.0))
    assert flown.false_share == 1.0
    assert any('100 % of all sightings are false' in fault for fault in flown.faults())


def test_a_model_that_sees_nobody_fails_the_flight():
    flown = flight(log_of(0.0), log_of(2.0))
    mount = flown.frames[0].mount
    blind = AssociatedFrame(10**9, 0, mount, np.zeros((0, 3)), np.zeros(0, np.int64), 0.0, 0)
    faults = replace(flown, frames=[blind] * 5).faults()
    assert 'nobody was seen in 5 frames' in faults[-1]
