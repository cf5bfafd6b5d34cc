"""TUM files: what was written comes back, and broken ones are named with the line."""

import numpy as np
import pytest

from mav_perception.errors import DataError
from mav_perception.io.tum import Trajectory, load_tum, save_tum


def test_a_trajectory_comes_back_to_the_nanosecond(tmp_path):
    stamps = np.array(
        [1_700_000_000_123_456_789, 1_700_000_000_223_456_789, 1_700_000_001_000_000_001]
    )
    poses = np.array([[0.0, 1.0, 2.0, 3.1], [1.0, 1.0, 2.0, -3.1], [4.0, 1.0, 2.0, 0.0]])
    save_tum(Trajectory.level(stamps, poses), tmp_path / 'a.tum')
    back = load_tum(tmp_path / 'a.tum')
    np.testing.assert_array_equal(back.stamps, stamps)
    np.testing.assert_allclose(back.positions, poses[:, :3], atol=1e-9)
    np.testing.assert_allclose(back.quaternions[:, 3], np.cos(poses[:, 3] / 2), atol=1e-8)


def test_comments_other_notations_and_disorder_are_read(tmp_path):
    (tmp_path / 'a.tum').write_text(
        '# t x y z qx qy qz qw\n2.5e0 1 0 0 0 0 0 1\n\n1 0 0 0 0 0 0 1\n'
    )
    assert load_tum(tmp_path / 'a.tum').stamps.tolist() == [10**9, 2_500_000_000]


@pytest.mark.parametrize(
    ('text', 'word'),
    [
        ('', 'holds no pose'),
        ('1 2 3\n', 'line 1'),
        ('1 0 0 0 0 0 0 1\nx 0 0 0 0 0 0 1\n', 'line 2'),
        ('1 nan 0 0 0 0 0 1\n', 'line 1'),
        ('1 0 0 0 0 0 0 0.5\n', 'not of length 1'),
    ],
)
def test_broken_files_are_named(tmp_path, text, word):
    (tmp_path / 'a.tum').write_text(text)
    with pytest.raises(DataError, match=word):
        load_tum(tmp_path / 'a.tum')
    with pytest.raises(DataError, match='Cannot read'):
        load_tum(tmp_path / 'b.tum')
