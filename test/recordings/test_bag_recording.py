"""A bag with true poses is a recording like any other."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from mav_perception.cli import main
from mav_perception.errors import DataError
from mav_perception.recordings.bag_recording import load_bag
from mav_perception.recordings.recording import sample_truth

FLIGHT = Path(__file__).parents[1] / 'ros' / 'flight_bag'
TEAM = FLIGHT / 'team.yaml'


@pytest.fixture
def bag(tmp_path):
    with tarfile.open(FLIGHT / 'bag.tar.xz') as archive:
        archive.extractall(tmp_path, filter='data')
    return tmp_path / 'bag'


def test_a_bag_has_the_flight_that_was_recorded(bag):
    recording = load_bag(bag, TEAM)
    assert recording.team.names == ('mav1', 'mav2', 'mav3')
    assert 18.0 < (recording.end_ns - recording.begin_ns) * 1e-9 < 21.0
    stamps = [(frame.sightings.observer, frame.sightings.stamp_ns) for frame in recording.frames]
    assert len(set(stamps)) == len(stamps) > 200
    assert [stamp for _, stamp in stamps] == sorted(stamp for _, stamp in stamps)
    ratios = []
    for frame in recording.frames:
        truth = sample_truth(recording, np.array([frame.sightings.stamp_ns]))[0]
        observer = recording.team.names.index(frame.sightings.observer)
        for position, label in zip(frame.sightings.positions, frame.labels, strict=True):
            if label >= 0:
                away = np.linalg.norm(truth[label, :3] - truth[observer, :3])
                ratios.append(np.linalg.norm(position) / away)
    assert len(ratios) > 200
    assert 0.85 < np.median(ratios) < 1.15  # range comes from size


def test_a_bag_is_played_under_changes(bag, tmp_path, capsys):
    given = ['benchmark', 'robustness', 'bag', str(bag), '--team', str(TEAM), '--seconds', '15']
    given += ['--offsets', '0', '5', '--changes', 'recorded', '--processes', '1']
    assert main(given) == 0
    said = capsys.readouterr().out
    assert '2 runs' in said
    assert '0 lost' in said


def test_a_drone_without_a_topic_is_named(bag, tmp_path):
    other = tmp_path / 'team.yaml'
    other.write_text(TEAM.read_text().replace('mav3', 'mav7'))
    with pytest.raises(DataError, match='/mav7/odometry'):
        load_bag(bag, other)
