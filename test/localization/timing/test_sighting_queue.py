"""Frames wait for the odometry that they need."""

import numpy as np
import pytest

from mav_perception.errors import InputError
from mav_perception.localization.timing.sighting_queue import SightingQueue, check_stamp
from mav_perception.types import Sightings, nanoseconds


def frame(stamp):
    return Sightings('mav1', nanoseconds(stamp), np.zeros((0, 3)), np.zeros(0), np.zeros(0))


def stamps(frames):
    return [f.stamp_ns / 1e9 for f in frames]


def test_frames_are_released_in_order_once_odometry_covers_them():
    queue = SightingQueue(wait=0.3)
    for stamp in (2.0, 1.0, 1.5):
        queue.add(frame(stamp), 0)
    newest = [nanoseconds(1.6), nanoseconds(1.5)]
    assert stamps(queue.ready(newest, 0)) == [1.0, 1.5]
    assert stamps(queue.ready([nanoseconds(2.0)] * 2, 0)) == [2.0]
    assert len(queue) == 0


def test_a_silent_drone_is_waited_for_only_a_while():
    queue = SightingQueue(wait=0.3)
    queue.add(frame(1.0), 0)
    assert queue.ready([nanoseconds(1.0), None], nanoseconds(0.2)) == []
    assert stamps(queue.ready([nanoseconds(1.0), None], nanoseconds(0.31))) == [1.0]


def test_a_drone_that_dropped_out_is_not_waited_for():
    queue = SightingQueue(wait=0.3)
    queue.add(frame(5.0), 0)
    assert stamps(queue.ready([nanoseconds(5.0), nanoseconds(1.0)], 0)) == [5.0]


@pytest.mark.parametrize(
    ('stamp', 'now', 'words'),
    [
        (0, 1_795_000_000, 'has stamp 0: its publisher does not set'),
        (1_795_000_010, 1_795_000_000, r'10\.0 s in the future'),
        (1_795_000_000, 5_000, '20775 days in the future'),
    ],
)
def test_a_stamp_that_cannot_be_is_named(stamp, now, words):
    with pytest.raises(InputError, match=words):
        check_stamp(nanoseconds(stamp), nanoseconds(now), 0.5, 'Odometry of mav1')


def test_a_stamp_of_another_clock_is_said_and_any_stamp_is_fine_before_time_begins():
    now = nanoseconds(1_795_000_000)
    assert 'days in the past' in check_stamp(nanoseconds(500.0), now, 0.5, 'Odometry of mav1')
    assert 'in the past: it is of another clock' in check_stamp(
        now - nanoseconds(7200.0), now, 0.5, 'Odometry of mav1'
    )
    assert check_stamp(now - nanoseconds(2.0), now, 0.5, 'Odometry of mav1') == ''
    assert check_stamp(0, 0, 0.5, 'Odometry of mav1') == ''
