"""What the monitor counts: every image once, whatever the cameras and however often nodes die."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip('rclpy', reason='ROS 2 is not installed')

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo

from mav_perception.errors import ConfigurationError
from mav_perception.evaluation.flight.flight_log import DroneLog
from mav_perception.ros.monitor import flight_clock
from mav_perception.ros.monitor.drone_monitor import DroneMonitor
from mav_perception.ros.monitor.flight_clock import FlightClock
from mav_perception.ros.monitor.live_screen import LiveScreen
from mav_perception.ros.monitor.monitor_parameters import MonitorNodeParameters
from mav_perception.ros.monitor.picture_sampler import keep_newest
from mav_perception.types import nanoseconds


def stamped(kind, k, seconds=1_800_000_000):
    message = kind()
    message.header.stamp = Time(sec=seconds + k // 10, nanosec=100_000_000 * (k % 10))
    return message


def test_cameras_that_are_triggered_together_have_an_image_each():
    drone = DroneMonitor('mav1', np.zeros(4))
    for k in range(10):
        for camera in ('', 'rear'):
            for _ in range(2):  # heard twice
                drone.on_camera_info(stamped(CameraInfo, k), camera)
        if k < 8:
            drone.on_pose(stamped(PoseWithCovarianceStamped, k))
    drone.on_diagnostics({'mav1 frames used': '16', 'mav1 frames refused': '3'})
    balance = drone.balance
    assert (balance.images, balance.poses, balance.superseded) == (20, 16, 0)
    assert (balance.refused, balance.lost) == (3, 1)


def test_counters_of_a_node_that_died_go_on():
    drone = DroneMonitor('mav1', np.zeros(4))
    for used in (5, 9, 2, 4):  # started again after 9
        drone.on_diagnostics({'mav1 frames used': str(used), 'mav1 frames waiting': '1'})
    for dropped in (3, 1):
        drone.on_dropped('mav1', dropped)
    assert drone.fates['used'] == '13'
    assert drone.balance.waiting == 1
    assert drone.balance.dropped == 4


def test_a_flight_of_hours_fits_into_memory():
    drone = DroneMonitor('mav1', np.zeros(4))
    for k in range(400):
        message = Odometry()
        message.header.stamp = Time(sec=k // 400, nanosec=2_500_000 * (k % 400))
        drone.on_odometry(message)
    assert len(drone.log.odometry) <= 56


def test_only_the_newest_images_are_kept():
    kept = {}
    for stamp in (5, 1, 9, 7, 3):
        keep_newest(kept, stamp, str(stamp), 2)
    assert set(kept) == {7, 9} or set(kept) == {9, 3}
    assert len(kept) == 2


def test_notices_are_wrapped_and_a_file_gets_no_colours(capsys):
    text = 'word ' * 60
    shown = LiveScreen().shown(['a table'], [text])
    assert '\x1b' not in shown
    assert all(len(line) <= 160 for line in shown.splitlines())
    assert shown.count('word') == 60


def test_a_screen_whose_reader_is_gone_does_not_end_the_flight():
    program = (
        'import os, sys, time\n'
        'from mav_perception.ros.monitor.live_screen import LiveScreen\n'
        'time.sleep(0.5)\n'
        'LiveScreen().say("a table"); LiveScreen().say("another")\n'
        'sys.stdout.flush(); print("written", file=sys.stderr)'
    )
    child = subprocess.Popen(
        [sys.executable, '-c', program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    child.stdout.close()
    assert child.stderr.read() == 'written\n'
    assert child.wait(30.0) == 0


@pytest.mark.parametrize('about', ['{"seed": 3', '[1]'])
def test_words_for_the_report_that_are_none_are_refused_before_the_flight(about):
    assert MonitorNodeParameters(about='{"seed": 3}').words() == {'seed': '3'}
    with pytest.raises(ConfigurationError, match='about'):
        MonitorNodeParameters(about=about).words()


def flown(*times):
    log = DroneLog(np.zeros(4))
    log.truth = [(nanoseconds(time), np.zeros(4)) for time in times]
    return log


def test_a_flight_is_over_when_its_last_stamp_was_heard(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(flight_clock.time, 'monotonic', lambda: now[0])
    clock = FlightClock(12.0)
    clock.read([flown(), flown()])
    now[0] += 60.0
    assert not clock.is_over  # it has not begun
    clock.read([flown(3.0, 11.8), flown(3.0, 11.84)])
    assert clock.flown == pytest.approx(11.84)
    assert not clock.is_over  # more comes
    clock.read([flown(3.0, 12.0), flown(3.0, 11.84)])
    assert clock.is_over
    short = FlightClock(12.0)
    short.read([flown(0.0, 11.75)])  # of a motion capture at 4 Hz
    assert not short.is_over
    now[0] += 0.6
    assert short.is_over
    assert not FlightClock(0.0).is_over
