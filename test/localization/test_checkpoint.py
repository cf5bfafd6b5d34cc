"""A joint filter that dies and goes on from its checkpoint."""

from dataclasses import replace

import numpy as np
import pytest

from mav_perception.errors import DataError, OutputError
from mav_perception.localization.checkpoint import (
    load_checkpoint,
    resume,
    save_checkpoint,
    take_checkpoint,
)
from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.types import nanoseconds

pytestmark = pytest.mark.flight


def feed(localizer, recording, begin, end):
    """Give a localizer all that comes from `begin` to `end` seconds."""
    events = [
        (sample.stamp_ns, 0, name, sample)
        for name, samples in zip(recording.team.names, recording.odometry, strict=True)
        for sample in samples
    ]
    events += [(f.sightings.stamp_ns, 1, '', f.sightings) for f in recording.frames]
    for stamp, kind, name, event in sorted(events, key=lambda e: e[:3]):
        if nanoseconds(begin) <= stamp - recording.begin_ns < nanoseconds(end):
            if kind:
                localizer.update(event)
            else:
                localizer.add_odometry(name, event)


@pytest.fixture(scope='module')
def flight():
    scenario = Scenario(drones=4, duration=30.0, seed=2)
    return fly(scenario), matching_parameters(scenario)


@pytest.fixture
def died(flight):
    recording, parameters = flight
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    feed(localizer, recording, 0.0, 15.0)
    return take_checkpoint(localizer)


def test_it_goes_on_after_three_seconds_and_is_never_wrong(flight, died, tmp_path):
    recording, parameters = flight
    save_checkpoint(died, tmp_path / 'state.npz')
    again = resume(recording.team, parameters, load_checkpoint(tmp_path / 'state.npz'))
    np.testing.assert_allclose(again.filter.predict(died.stamp_ns).mean, died.mean, atol=1e-9)
    for since, until in ((18.0, 18.3), (18.3, 20.0), (20.0, 25.0), (25.0, 30.0)):
        feed(again, recording, since, until)
        stamp = again.filter.stamp_ns
        state = again.filter.predict(stamp)
        truth = np.array([path.at(np.array([stamp]))[0] for path in recording.truth])
        sigma = np.sqrt(np.diag(state.covariance)).reshape(-1, 4)
        error = np.abs(state.mean - truth)[:, :3]
        assert again.localized.all()
        assert (error < 3.0 * sigma[:, :3] + 0.05).all()
    assert np.linalg.norm(state.mean[:, :3] - truth[:, :3], axis=1).max() < 0.5


def test_drones_without_a_place_are_searched_for_again(flight, died):
    recording, parameters = flight
    lost = replace(died, known=np.array([True, True, False, True]))
    again = resume(recording.team, parameters, lost)
    feed(again, recording, 15.0, 15.5)
    assert again.localized.tolist() == [True, True, False, True]
    feed(again, recording, 15.5, 30.0)
    assert again.localized.all()


def test_a_drone_that_never_spoke_keeps_its_known_start(flight):
    recording, parameters = flight
    silent = recording.team.names[3]
    odometry = [[], []]
    for name, samples in zip(recording.team.names, recording.odometry, strict=True):
        odometry[name == silent] += [(sample.stamp_ns, name, sample) for sample in samples]
    localizer = TeamLocalizer(CoupledPdaFilter(recording.team, parameters))
    for _, name, sample in sorted(odometry[0], key=lambda e: e[:2])[:200]:
        localizer.add_odometry(name, sample)
    localizer.filter.state_at(UNIX_BEGIN_NS + nanoseconds(1.0))
    localizer.filter.replace_state(localizer.filter.state_at(UNIX_BEGIN_NS + nanoseconds(1.0)))
    left = take_checkpoint(localizer)
    assert left.known.tolist() == [True, True, True, False]
    again = resume(recording.team, parameters, left)
    for _, name, sample in sorted(odometry[0] + odometry[1], key=lambda e: e[:2]):
        if nanoseconds(1.0) < sample.stamp_ns - recording.begin_ns < nanoseconds(1.5):
            again.add_odometry(name, sample)
    assert again.filter.state_at(UNIX_BEGIN_NS + nanoseconds(1.4)).active.all()
    np.testing.assert_allclose(
        again.filter.predict(UNIX_BEGIN_NS + nanoseconds(1.4)).mean[3],
        recording.truth[3].poses[0],
        atol=1.5,
    )


def test_before_there_is_a_state_there_is_nothing_to_keep(flight):
    recording, parameters = flight
    assert take_checkpoint(TeamLocalizer(CoupledPdaFilter(recording.team, parameters))) is None


def test_a_checkpoint_of_another_team_and_a_broken_one_are_refused(flight, died, tmp_path):
    recording, parameters = flight
    with pytest.raises(DataError, match='starts anew'):
        resume(recording.team, parameters, replace(died, names=('a', 'b', 'c', 'd')))
    save_checkpoint(died, tmp_path / 'whole.npz')
    whole = (tmp_path / 'whole.npz').read_bytes()
    for left in (b'PK nothing', b'', whole[: len(whole) // 2], whole[:-1]):  # by a power cut
        (tmp_path / 'broken.npz').write_bytes(left)
        with pytest.raises(DataError, match='starts anew'):
            load_checkpoint(tmp_path / 'broken.npz')
    with pytest.raises(OutputError, match='Cannot write'):
        save_checkpoint(died, tmp_path / 'none' / 'state.npz')
