"""Late messages go in by their own stamps."""

import numpy as np
import pytest

from mav_perception.errors import LateError
from mav_perception.localization.association.events import joint_association_events
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.timing.rollback import Rollback
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.types import Sightings, nanoseconds


def frames_of(seed=3):
    scenario = Scenario(drones=3, duration=6.0, seed=seed, frame_rate=5.0)
    recording = fly(scenario)
    return recording, matching_parameters(scenario)


def last_state(recording, parameters, messages):
    joint_filter = CoupledPdaFilter(recording.team, parameters)
    for kind, name, message in messages:
        if kind == 'odometry':
            joint_filter.add_odometry(name, message)
        else:
            joint_filter.update(message)
    return joint_filter.predict(recording.end_ns)


@pytest.mark.flight
def test_any_order_of_arrival_inside_the_window_gives_the_same_result():
    recording, parameters = frames_of()
    messages = [
        ('odometry', name, sample)
        for name, samples in zip(recording.team.names, recording.odometry, strict=True)
        for sample in samples
    ] + [('frame', f.sightings.observer, f.sightings) for f in recording.frames]
    messages.sort(key=lambda m: m[2].stamp_ns)
    reference = last_state(recording, parameters, messages)
    rng = np.random.default_rng(0)
    stamps = np.array([m[2].stamp_ns for m in messages])
    # Frames come up to 0.8 s late, odometry up to 0.2 s: what a frame needs may come after it.
    delay = np.where([m[0] == 'frame' for m in messages], 0.8, 0.2) * rng.random(len(messages))
    delay[stamps < recording.begin_ns + nanoseconds(0.5)] = 0.0
    shuffled = [messages[i] for i in np.argsort(stamps + nanoseconds(1.0) * delay, kind='stable')]
    assert [m[2].stamp_ns for m in shuffled] != [m[2].stamp_ns for m in messages]
    late = last_state(recording, parameters, shuffled)
    np.testing.assert_allclose(late.mean, reference.mean, atol=1e-9)
    np.testing.assert_allclose(late.covariance, reference.covariance, atol=1e-9)


def test_what_is_older_than_the_window_is_late():
    rollback = Rollback(1.0)
    empty = Sightings('a', nanoseconds(3.0), np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    with pytest.raises(LateError, match='late_window'):
        rollback.check(empty, nanoseconds(4.1))
    rollback.check(empty, nanoseconds(3.9))


@pytest.mark.flight
def test_a_burst_of_late_odometry_repeats_the_frames_once():
    recording, parameters = frames_of()
    associated = []

    def counting(problem, max_events):
        associated.append(problem.scan_key)
        return joint_association_events(problem, max_events)

    joint_filter = CoupledPdaFilter(recording.team, parameters, counting)
    late_since = recording.end_ns - nanoseconds(0.8)
    messages = [
        (sample.stamp_ns, name, sample)
        for name, samples in zip(recording.team.names, recording.odometry, strict=True)
        for sample in samples
    ] + [(f.sightings.stamp_ns, '', f.sightings) for f in recording.frames]
    burst = []
    for stamp_ns, name, message in sorted(messages, key=lambda m: m[:2]):
        if name == recording.team.names[-1] and stamp_ns > late_since:
            burst.append(message)
        elif name:
            joint_filter.add_odometry(name, message)
        elif message.observer != recording.team.names[-1]:
            joint_filter.update(message)
    used = [key for key in associated if key[0] > late_since]
    associated.clear()
    for sample in burst:
        joint_filter.add_odometry(recording.team.names[-1], sample)
    assert len(burst) > 5 and not associated
    joint_filter.predict(recording.end_ns)
    assert len(used) > 3 and set(used) <= set(associated)
    assert len(associated) == len(set(associated))
