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


def odometry(*newest):
    """Return the newest odometry of mav1 and mav2, in seconds."""
    return {
        f'mav{k + 1}': None if stamp is None else nanoseconds(stamp)
        for k, stamp in enumerate(newest)
    }


def test_frames_are_released_in_order_once_odometry_covers_them():
    queue = SightingQueue(wait=0.3)
    for stamp in (2.0, 1.0, 1.5):
        queue.add(frame(stamp), 0)
    assert stamps(queue.ready(odometry(1.6, 1.5), 0)) == [1.0, 1.5]
    assert stamps(queue.ready(odometry(2.0, 2.0), 0)) == [2.0]
    assert len(queue) == 0


def test_a_silent_drone_is_waited_for_only_a_while():
    queue = SightingQueue(wait=0.3)
    queue.add(frame(1.0), 0)
    assert list(queue.ready(odometry(1.0, None), nanoseconds(0.2))) == []
    assert stamps(queue.ready(odometry(1.0, None), nanoseconds(0.31))) == [1.0]


def test_a_drone_that_dropped_out_is_not_waited_for():
    queue = SightingQueue(wait=0.3)
    queue.add(frame(5.0), 0)
    assert stamps(queue.ready(odometry(5.0, 1.0), 0)) == [5.0]


def test_a_frame_waits_for_the_odometry_of_its_own_drone_while_that_comes_in():
    queue = SightingQueue(wait=0.3)
    queue.add(frame(5.0), 0)
    for tenth in range(1, 20):  # of seconds: a machine that is behind catches up
        newest = odometry(3.0 + 0.1 * tenth, 3.0 + 0.1 * tenth)
        queue.heard('mav1', nanoseconds(0.1 * tenth))
        assert list(queue.ready(newest, nanoseconds(0.1 * tenth))) == []
    assert stamps(queue.ready(newest, nanoseconds(2.3))) == [5.0]  # it came no more


@pytest.mark.parametrize('behind', [2.0, 1.7e9])
def test_no_frame_waits_without_end_for_odometry_of_another_clock(behind):
    queue, waiting = SightingQueue(wait=0.3), []
    for tenth in range(300):  # of seconds
        now = 1.8e9 + 0.1 * tenth
        queue.heard('mav1', nanoseconds(0.1 * tenth))
        queue.add(frame(now), nanoseconds(0.1 * tenth))
        list(queue.ready(odometry(now - behind, now - behind), nanoseconds(0.1 * tenth)))
        waiting.append(len(queue))
    assert max(waiting) < (80 if behind < 5.0 else 5)


def test_who_does_not_keep_up_gives_up_the_frames_that_came_long_ago():
    queue = SightingQueue(wait=0.3)
    for stamp in (3.0, 1.0, 2.0):
        queue.add(frame(stamp), nanoseconds(stamp))
    first = next(queue.ready(odometry(4.0, 4.0), nanoseconds(4.0)))
    assert stamps([first]) == [1.0]
    assert len(queue) == 2  # what nobody took yet stays
    assert stamps(queue.overdue(nanoseconds(12.5))) == [2.0]
    assert stamps(queue.ready(odometry(4.0, 4.0), nanoseconds(12.5))) == [3.0]


def test_a_drone_that_lags_behind_the_others_is_not_waited_for_without_end():
    queue = SightingQueue(wait=0.3)
    queue.add(frame(5.0), 0)
    queue.heard('mav1', nanoseconds(0.4))
    assert stamps(queue.ready(odometry(3.0, 5.0), nanoseconds(0.4))) == [5.0]


@pytest.mark.parametrize(
    ('stamp', 'now', 'words'),
    [
        (0, 1_795_000_000, 'Odometry of mav1: stamp 0, its publisher does not set'),
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
    assert check_stamp(0, nanoseconds(0.2), 0.5, 'Sightings of mav1') == ''  # of a simulator
