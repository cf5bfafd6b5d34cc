"""Who flies, and what is refused."""

import numpy as np
import pytest

from mav_perception.errors import ConfigurationError
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team import Team


def test_unknown_drone_lists_the_team(pair_team):
    with pytest.raises(ConfigurationError, match=r"'mav7'.*mav1, mav2"):
        pair_team.index('mav7')


def test_a_team_of_one_is_refused(forward_mount):
    with pytest.raises(ConfigurationError, match='at least two'):
        Team(('a',), np.zeros((1, 4)), np.zeros((1, 4)), ((forward_mount,),))


def test_cameras_are_counted_through_the_team():
    front, rear = (CameraMount.forward(np.zeros(3), np.zeros(3), name) for name in ('', 'rear'))
    team = Team(('a', 'b'), np.zeros((2, 4)), np.zeros((2, 4)), ((front, rear), (front,)))
    assert team.camera_count == 3
    assert [team.camera(*c)[0] for c in (('a', ''), ('a', 'rear'), ('b', ''))] == [0, 1, 2]
    with pytest.raises(ConfigurationError, match=r'no camera .*more_cameras'):
        team.camera('b', 'rear')
