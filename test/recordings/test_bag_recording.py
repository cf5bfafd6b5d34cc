"""A bag with true poses is a recording like any other."""

import math
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from mav_perception.cli import main
from mav_perception.errors import DataError
from mav_perception.evaluation.report.run_record import load_run
from mav_perception.io.bags import BagReader, BagWriter
from mav_perception.localization.team.team_file import load_team, save_team
from mav_perception.recordings import bag_recording
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


def test_a_recorded_flight_is_localized_as_well_as_ever(bag, tmp_path, capsys):
    assert main(['replay', 'bag', str(bag), '--team', str(TEAM), '--output', str(tmp_path)]) == 0
    record = load_run(tmp_path)
    assert record.score.team_shape < 0.12
    assert record.score.team_shape < 0.5 * record.score.vio_team_shape
    assert len(record.nis) > 100
    sightings = record.confusion[:3]
    assert np.trace(sightings) > 0.85 * sightings.sum() > 50
    assert 'NEES' in (tmp_path / 'report.html').read_text()
    assert 'cpdaf / identities known' in capsys.readouterr().out


def test_a_flight_without_ros_needs_no_ros(bag, tmp_path):
    code = (
        'import sys\n'
        'from mav_perception.cli import main\n'
        f'code = main(["replay", "bag", {str(bag)!r}, "--team", {str(TEAM)!r}, '
        f'"--seconds", "5", "--output", {str(tmp_path)!r}])\n'
        'assert not [name for name in sys.modules if name.startswith("rclpy")]\n'
        'sys.exit(code)'
    )
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


def test_a_flight_without_truth_is_localized_too(bag, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bag_recording, 'GROUND_TRUTH', 'nobody/knows')
    given = ['replay', 'bag', str(bag), '--team', str(TEAM), '--output', str(tmp_path)]
    assert main([*given, '--begin', '2', '--seconds', '8']) == 0
    said = capsys.readouterr().out
    assert 'Nobody knows the true paths' in said
    assert 'mav3' in said
    record = load_run(tmp_path)
    assert record.score is None
    assert not record.has_truth
    assert 'Nobody knows the true paths' in (tmp_path / 'report.html').read_text()


def test_a_motion_capture_that_lost_a_drone_for_a_moment_costs_no_recording(bag, tmp_path):
    reader, truth = BagReader(bag), '/mav2/ground_truth/pose'
    writer = BagWriter(tmp_path / 'lost')
    for topic, kind in reader.topics.items():
        writer.add_topic(topic, kind, topic in reader.latched, True)
    types, spoilt = get_typestore(Stores.LATEST), 0
    for message in reader.messages():
        data = message.data
        if message.topic == truth and spoilt < 3:
            pose = reader.decoded(message)
            rotation = pose.pose.orientation
            rotation.x = rotation.y = rotation.z = rotation.w = 0.0
            data = bytes(types.serialize_cdr(pose, reader.topics[truth]))
            spoilt += 1
        writer.write(message.topic, data, message.received_ns)
    writer.close()
    recording = load_bag(tmp_path / 'lost', TEAM)
    assert any(f'3 x {truth}: a pose is not finite' in text for text in recording.notices)
    whole = load_bag(bag, TEAM)
    assert len(recording.truth[1].stamps) == len(whole.truth[1].stamps) - 3
    assert np.isfinite(recording.truth[1].poses).all()


def test_topics_of_another_name_are_remapped(bag, tmp_path):
    other = tmp_path / 'team.yaml'
    other.write_text(TEAM.read_text().replace('mav3', 'red'))
    topics = ('odometry', 'ground_truth/pose', 'detection/relative_measurements')
    rules = {f'/mav3/{topic}': f'/red/{topic}' for topic in topics}
    recording = load_bag(bag, other, rules, begin=5.0)
    assert recording.team.names == ('mav1', 'mav2', 'red')
    assert len(recording.frames) > 100


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (['--params', 'x.yaml'], 'give --team'),
        (['--team', str(TEAM), '--loop'], 'leave it or --team out'),
        (['--team', str(TEAM), '--rate', '3'], 'as fast as it goes'),
        (['--team', '/nowhere.yaml'], 'Cannot read team file'),
        (['--team', str(TEAM), '--remap', 'a=b'], 'write FROM:=TO'),
    ],
)
def test_wrong_options_are_refused_before_anything_starts(options, text, tmp_path, capsys):
    assert main(['replay', 'bag', 'x', *options, '--output', str(tmp_path)]) == 2
    assert text in capsys.readouterr().err


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


@pytest.mark.parametrize('truth', [True, False])
def test_one_unknown_start_in_the_team_file_makes_no_other_unknown(
    bag, tmp_path, monkeypatch, capsys, truth
):
    if not truth:
        monkeypatch.setattr(bag_recording, 'GROUND_TRUTH', 'nobody/knows')
    team, entries = tmp_path / 'team.yaml', load_team(TEAM)
    save_team((*entries[:2], replace(entries[2], start_sigma=(math.nan,) * 4)), team)
    given = ['replay', 'bag', str(bag), '--team', str(team), '--output', str(tmp_path)]
    assert main([*given, '--seconds', '8']) == 0
    record = load_run(tmp_path)
    first = {drone.name: int(drone.estimate.stamps[0]) for drone in record.drones}
    assert first['mav2'] - first['mav1'] < 1e9  # its start is known
    assert first.get('mav3', 2**62) - first['mav1'] > 1e9  # it has to be found
    said = capsys.readouterr().out
    assert ('All drones localized' in said) == truth
    assert ('Nobody knows the true paths' in said) != truth
