"""team.yaml: what is read and what is refused."""

import numpy as np
import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.localization.team.team_file import load_team, span_of_others, team_from_entries


def test_defaults_are_overridden_per_drone(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text(
        'defaults: {start_sigma: [1, 1, 1, 1]}\n'
        'drones:\n'
        '  - {name: red, start: [1, 2, 3, 0]}\n'
        '  - {name: blue, namespace: /fleet/blue, start_sigma: [0, 0, 0, 0]}\n'
    )
    red, blue = load_team(path)
    assert red.namespace == 'red'
    assert blue.namespace == '/fleet/blue'
    team = team_from_entries((red, blue))
    np.testing.assert_array_equal(team.start_sigma, [[1] * 4, [0] * 4])
    np.testing.assert_array_equal(team.start[0], [1, 2, 3, 0])


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('drones: [', 'Cannot read'),
        ('team: 1', 'needs a list'),
        ('drones: [{namespace: /a}]', 'needs a `name:`'),
        ('drones: [{name: a, namespace: }, {name: b}]', 'namespace of a is empty'),
        ('drones: [{name: a}, {name: a}]', 'share one name'),
        ('drones: [{name: a, colour: red}, {name: b}]', "unknown key 'colour'"),
        ('drones: [{name: a, start: [1, 2]}, {name: b}]', 'start of a needs 4 numbers'),
        ('drones: [{name: a, start: [x, 1, 2, 3]}, {name: b}]', 'start of a needs 4 numbers'),
        ('drones: [{name: a, camera_half_view: [1]}]', 'camera_half_view of a needs 2 numbers'),
        ('drones: [{name: a, more_cameras: [rear]}]', 'more_cameras of a must be'),
        ('drones: [{name: a, more_cameras: {rear: {}}}]', "'rear' of a needs `translation:`"),
        ('drones: [{name: a, more_cameras: {r: {translation: [1]}}}]', 'translation of camera'),
        ('drones: [{name: 1st}, {name: b}]', "'1st' of 1st cannot be part of a topic"),
        ('drones: [{name: a, namespace: /x/b c}, {name: b}]', "'b c' of a cannot be part"),
        ('drones: [{name: a, span: wide}, {name: b}]', 'span of a needs 1 number'),
        ('drones: [{name: a, span: -1.0}, {name: b}]', 'give it in metres'),
        (
            'drones: [{name: a, more_cameras: {r: {translation: [1, 0, 0], zoom: 2}}}]',
            "unknown key 'zoom'",
        ),
    ],
)
def test_broken_files_name_the_cause(tmp_path, text, word):
    path = tmp_path / 'team.yaml'
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=word):
        load_team(path)


def test_the_size_of_the_others_is_known_if_all_were_measured(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text('drones: [{name: a}, {name: b, span: 0.4}, {name: c, span: 0.6}]')
    entries = load_team(path)
    assert [span_of_others(entries, entry) for entry in entries] == [0.5, 0.0, 0.0]


def test_an_unknown_start_is_searched_for_but_not_that_of_the_first(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text('drones: [{name: a}, {name: b, start: unknown}]')
    team = team_from_entries(load_team(path))
    assert np.isnan(team.start_sigma).tolist() == [[False] * 4, [True] * 4]
    path.write_text('drones: [{name: a, start: unknown}, {name: b}]')
    with pytest.raises(ConfigurationError, match='first drone'):
        team_from_entries(load_team(path))


def test_a_drone_may_carry_more_cameras(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text(
        'drones:\n'
        '  - name: a\n'
        '    more_cameras: {rear: {translation: [-0.1, 0, 0], rotation: [0, 0, 3.14159]}}\n'
        '  - {name: b, camera_half_view: [1.5, 1.2]}\n'
    )
    entries = load_team(path)
    spaces = [e.camera_namespace(camera) for e in entries for camera in e.cameras]
    assert spaces == ['a', 'a/rear', 'b']
    team = team_from_entries(entries)
    index, rear = team.camera('a', 'rear')
    assert index == 1
    np.testing.assert_allclose(rear.rotation @ [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], atol=1e-5)
    assert rear.half_view is None
    assert team.camera('b', '')[1].half_view == (1.5, 1.2)


TWO = 'drones:\n- {name: a}\n- name: b\n  '


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('defaults: [start]\n' + TWO, '`defaults:` must be'),
        ('defaults: none\n' + TWO, '`defaults:` must be'),
        ('drones:\n- {name: on}\n- {name: b}\n', 'Quote it'),
        (TWO + 'start: "2010"\n', 'start of b needs 4 numbers'),
        (TWO + 'start: [0, 0, 1, 90]\n', 'look like degrees'),
        (TWO + 'start_sigma: [1, 1, 1, 25]\n', 'look like degrees'),
        (TWO + 'camera_rotation: [0, 0, 180]\n', 'look like degrees'),
        (TWO + 'camera_half_view: [-0.5, 0.5]\n', '0 to pi radians'),
        (TWO + 'camera_half_view: [45, 35]\n', '0 to pi radians'),
        (TWO + 'odometry: vio odom\n', 'is no topic'),
    ],
)
def test_values_that_cannot_be_are_named(tmp_path, text, words):
    path = tmp_path / 'team.yaml'
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_team(path)
    assert 'team.yaml' in str(caught.value)


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_bytes('# K\u00fcche\n'.encode('latin-1') + TWO.encode())
    with pytest.raises(ConfigurationError, match='not UTF-8'):
        load_team(path)
    path.write_bytes(b'\xef\xbb\xbf' + TWO.encode())
    assert len(load_team(path)) == 2
