"""team.yaml: what is read and what is refused."""

import numpy as np
import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.localization.team import Team, load_team, team_from_entries


def test_defaults_are_overridden_per_drone(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text(
        'defaults: {start_sigma: [1, 1, 1, 1]}\n'
        'drones:\n'
        '  - {name: red, start: [1, 2, 3, 0]}\n'
        '  - {name: blue, namespace: /fleet/blue, start_sigma: [0, 0, 0, 0]}\n'
    )
    red, blue = load_team(path)
    assert red.namespace == '/red'
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
        ('drones: [{name: a}, {name: a}]', 'share one name'),
        ('drones: [{name: a, colour: red}, {name: b}]', "unknown key 'colour'"),
        ('drones: [{name: a, start: [1, 2]}, {name: b}]', 'start of a needs 4 numbers'),
        ('drones: [{name: a, start: [x, 1, 2, 3]}, {name: b}]', 'start of a needs 4 numbers'),
    ],
)
def test_broken_files_name_the_cause(tmp_path, text, word):
    path = tmp_path / 'team.yaml'
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=word):
        load_team(path)


def test_unknown_drone_lists_the_team(pair_team):
    with pytest.raises(ConfigurationError, match=r"'mav7'.*mav1, mav2"):
        pair_team.index('mav7')


def test_a_team_of_one_is_refused(forward_mount):
    with pytest.raises(ConfigurationError, match='at least two'):
        Team(('a',), np.zeros((1, 4)), np.zeros((1, 4)), (forward_mount,))


def test_an_unknown_start_is_searched_for_but_not_that_of_the_first(tmp_path):
    path = tmp_path / 'team.yaml'
    path.write_text('drones: [{name: a}, {name: b, start: unknown}]')
    team = team_from_entries(load_team(path))
    assert np.isnan(team.start_sigma).tolist() == [[False] * 4, [True] * 4]
    path.write_text('drones: [{name: a, start: unknown}, {name: b}]')
    with pytest.raises(ConfigurationError, match='first drone'):
        team_from_entries(load_team(path))
