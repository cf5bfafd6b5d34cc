"""A recording under small changes: what is changed, and what is counted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mav_perception.evaluation.benchmark.perturbations import DROPPED_SHARE, PERTURBATIONS
from mav_perception.evaluation.benchmark.robustness import Task, run_task, summarise, table
from mav_perception.recordings.recording import sample_truth
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.types import nanoseconds

pytestmark = pytest.mark.flight


def short_flight():
    scenario = load_scenario('nominal', duration=20.0, drones=3)
    return fly(scenario), matching_parameters(scenario), (0, 1, 2, 3)


def test_a_recording_that_begins_later_starts_where_the_drones_are_then():
    recording, _, _ = short_flight()
    later = recording.since(recording.begin_ns + nanoseconds(7.0))
    first = np.array([samples[0].stamp_ns for samples in later.odometry])
    assert first.min() >= later.begin_ns == recording.begin_ns + nanoseconds(7.0)
    true = np.array([sample_truth(recording, first)[k, k] for k in range(3)])
    np.testing.assert_allclose(later.team.start, true)
    assert 0 < len(later.frames) < len(recording.frames)


def test_perturbations_change_one_thing_each():
    recording, parameters, _ = short_flight()
    count = sum(len(frame.labels) for frame in recording.frames)
    for name, change in PERTURBATIONS.items():
        changed, told = change(recording, parameters, 0)
        kept = sum(len(frame.labels) for frame in changed.frames)
        if name == 'dropped':
            assert kept / count == pytest.approx(1.0 - DROPPED_SHARE, abs=0.05)
            assert all(len(f.labels) == len(f.sightings) for f in changed.frames)
        else:
            assert kept == count
        assert (told == parameters) == (name in ('recorded', 'backwards', 'dropped'))


def test_backwards_everything_happens_in_the_other_order():
    recording, _, _ = short_flight()
    back = recording.backwards()
    stamps = np.array([recording.begin_ns, recording.begin_ns + nanoseconds(4.0)])
    mirrored = recording.begin_ns + recording.end_ns - stamps
    np.testing.assert_allclose(sample_truth(back, stamps), sample_truth(recording, mirrored))
    np.testing.assert_allclose(back.team.start, sample_truth(recording, mirrored)[0], atol=0.05)
    assert [f.sightings.stamp_ns for f in back.frames] == sorted(
        f.sightings.stamp_ns for f in back.frames
    )
    for drone in range(3):
        there, here = recording.odometry_path(drone), back.odometry_path(drone)
        np.testing.assert_allclose(here.at(stamps)[:, :3], there.at(mirrored)[:, :3], atol=1e-9)
    again = back.backwards()
    assert len(again.frames) == len(recording.frames)
    for one, other in zip(again.frames, recording.frames, strict=True):
        assert one.sightings.stamp_ns == other.sightings.stamp_ns
        np.testing.assert_array_equal(one.labels, other.labels)


def test_runs_are_judged_and_summed_up():
    outcomes = [run_task(Task('short', short_flight, 3.0, 'drift'))]
    figures = summarise(outcomes)
    assert figures['runs'] == 1 and figures['lost'] == 0
    assert figures['published_wrong_share'] < 0.05 and outcomes[0].judged > 50
    assert 0.5 < figures['ratio_median'] < 2.0
    assert len(table(outcomes).splitlines()) == 2
    json.dumps(figures, allow_nan=False)
    nan = float('nan')
    never = replace(outcomes[0], team_shape=nan, ratio=nan, last=nan, anees=nan, start_seconds=nan)
    assert summarise([*outcomes, never])['ratio_median'] == figures['ratio_median']
    assert summarise([*outcomes, never])['lost'] == 1
    assert summarise([*outcomes, never])['never_localized'] == 1
    assert 'lost' in table([never])


def test_an_unknown_start_is_found_and_judged_against_one_that_is_told():
    def flight():
        scenario = load_scenario('unknown3', duration=40.0, seed=5)
        recording = fly(scenario)
        start = np.array([path.at(np.array([recording.begin_ns]))[0] for path in recording.truth])
        known = replace(recording.team, start=start, start_sigma=np.full((3, 4), 0.1))
        return replace(recording, team=known), matching_parameters(scenario), (0, 1, 2, 3)

    outcome = run_task(Task('unknown', flight, 0.0, 'recorded', unknown_start=True))
    assert not outcome.lost
    assert 0 < outcome.judged < 3 * 40 * 10
    assert outcome.ratio < 2.0


def test_a_part_of_the_team_flies_as_if_the_others_were_not_there():
    recording, _, _ = short_flight()
    part = recording.of_drones((0, 2))
    assert part.team.names == ('mav1', 'mav3')
    assert {frame.sightings.observer for frame in part.frames} == {'mav1', 'mav3'}
    assert {label for frame in part.frames for label in frame.labels.tolist()} <= {-1, 0, 1}
    whole = [f for f in recording.frames if f.sightings.observer == 'mav1']
    mine = [f for f in part.frames if f.sightings.observer == 'mav1']
    for one, other in zip(whole, mine, strict=True):
        assert (one.labels == 2).sum() == (other.labels == 1).sum()
        assert (one.labels != 1).sum() == len(other.sightings)
    np.testing.assert_array_equal(part.truth[1].poses, recording.truth[2].poses)
    task = Task('part', short_flight, offset=0.0, change='recorded', drones=(0, 2))
    assert not run_task(task).lost
