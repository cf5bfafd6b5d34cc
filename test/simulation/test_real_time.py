"""The simulator waits for the chain instead of dropping frames, and gives up on lost ones."""

import threading
import time

import pytest

from mav_perception.simulation.real_time import FlowControl, RealTimePacer


def test_a_full_window_blocks_until_a_measurement_comes_back():
    flow, stopping = FlowControl(1, window=2, patience=30.0), threading.Event()
    for stamp in (1, 2):
        flow.wait_for_room(0, stopping)
        flow.sent(0, stamp)
    waiter = threading.Thread(target=flow.wait_for_room, args=(0, stopping))
    waiter.start()
    waiter.join(timeout=0.3)
    assert waiter.is_alive()
    flow.returned(0, 1)
    waiter.join(timeout=5.0)
    assert not waiter.is_alive()
    assert flow.lost == 0


def test_frames_that_never_come_back_are_counted_as_lost():
    flow = FlowControl(1, window=1, patience=0.1)
    flow.sent(0, 1)
    flow.wait_for_room(0, threading.Event())
    assert flow.lost == 1


def test_stopping_ends_the_wait():
    flow, stopping = FlowControl(1, window=1, patience=30.0), threading.Event()
    flow.sent(0, 1)
    stopping.set()
    flow.wait_for_room(0, stopping)


def test_time_lost_is_not_caught_up_and_shows_in_the_factor():
    pacer, stopping = RealTimePacer(), threading.Event()
    begin = time.monotonic()
    for tick in range(5):
        pacer.wait_until(0.02 * tick, stopping)
        if tick == 2:
            time.sleep(0.2)
    assert time.monotonic() - begin > 0.24
    assert pacer.real_time_factor == pytest.approx(0.08 / (time.monotonic() - begin), rel=0.3)
