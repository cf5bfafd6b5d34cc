"""Frames wait for the odometry that they need."""

import numpy as np

from mav_perception.localization.timing.sighting_queue import SightingQueue
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
