"""TUM files: what was written comes back, and broken ones are named with the line."""

import numpy as np
import pytest
from evo.tools import file_interface

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


def test_positions_beyond_this_world_are_named(tmp_path):
    (tmp_path / 'a.tum').write_text('1 0 0 0 0 0 0 1\n2 1e300 0 0 0 0 0 1\n')
    with pytest.raises(DataError, match='line 2'):
        load_tum(tmp_path / 'a.tum')


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
        ('1 2 3 4 5 6 7 8 9 10 11 12\n', 'that is KITTI'),
        ('nan 0 0 0 0 0 0 1\n', 'no time'),
        ('1 0 0 0 0 0 0 1 9\n', 'line 1: a pose'),
    ],
)
def test_broken_files_are_named(tmp_path, text, word):
    (tmp_path / 'a.tum').write_text(text)
    with pytest.raises(DataError, match=word):
        load_tum(tmp_path / 'a.tum')
    with pytest.raises(DataError, match='Cannot read'):
        load_tum(tmp_path / 'b.tum')


POSES = np.array([[0.1 * k, np.cos(0.3 * k), np.sin(0.3 * k)] for k in range(12)])


def as_text(stamps, order='xyzw', separator=' ', head='', end='\n'):
    rows = []
    for stamp, position in zip(stamps, POSES, strict=True):
        half = 0.1 * position[0]
        turned = {'x': 0.0, 'y': 0.0, 'z': np.sin(half), 'w': np.cos(half)}
        numbers = [*position, *(turned[axis] for axis in order)]
        rows.append(separator.join([stamp, *(f'{value:.9f}' for value in numbers)]))
    return head + end.join([*rows, ''])


SECONDS = [f'{1.79e9 + 0.1 * k:.6f}' for k in range(len(POSES))]


@pytest.mark.parametrize(
    ('text', 'stamps'),
    [
        (as_text(SECONDS), None),
        (as_text([f'{-1.9 + 0.1 * k:.6f}' for k in range(len(POSES))]), None),
        (as_text([str(k - 3) for k in range(len(POSES))]), None),
        (as_text(SECONDS, end='\r\n'), None),
        ('\ufeff' + as_text(SECONDS), None),
        ('\ufeff# t x y z qx qy qz qw\n' + as_text(SECONDS, separator='\t'), None),
        (as_text(SECONDS, separator=',', head='timestamp,x,y,z,qx,qy,qz,qw\n'), SECONDS),
        (as_text([str(1_790_000_000 * 10**9 + 10**8 * k) for k in range(len(POSES))]), SECONDS),
    ],
)
def test_stamps_of_any_kind_give_what_evo_reads(tmp_path, text, stamps):
    path = tmp_path / 'a.tum'
    path.write_text(text, encoding='utf-8', newline='')
    ours = load_tum(path)
    if stamps is None:  # evo reads spaces and seconds only, and no BOM
        path.write_text(text.lstrip('\ufeff').replace('\t', ' '), newline='')
    else:
        path.write_text(as_text(stamps))
    theirs = file_interface.read_tum_trajectory_file(str(path))
    np.testing.assert_allclose(ours.stamps * 1e-9, theirs.timestamps, atol=1e-6)
    np.testing.assert_allclose(ours.positions, theirs.positions_xyz, atol=1e-9)
    np.testing.assert_allclose(
        ours.quaternions, np.roll(theirs.orientations_quat_wxyz, -1, axis=1), atol=1e-8
    )


@pytest.mark.parametrize('named', [True, False])
def test_the_ground_truth_of_euroc_is_read_as_evo_reads_it(tmp_path, named):
    stamps = [str(1_403_636_580_838_555_648 + 5_000_000 * k) for k in range(len(POSES))]
    rows = as_text(stamps, 'wxyz', ',').splitlines()
    rows = [row + ',0.1' * 9 for row in rows]
    head = (
        '#timestamp, p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], '
        'q_RS_z [], v_RS_R_x [m s^-1]'
    )
    path = tmp_path / 'data.csv'
    path.write_text('\n'.join([head, *rows] if named else rows) + '\n')
    ours, theirs = load_tum(path), file_interface.read_euroc_csv_trajectory(str(path))
    assert ours.stamps[0] == 1_403_636_580_838_555_648
    np.testing.assert_allclose(ours.stamps * 1e-9, theirs.timestamps, atol=1e-6)
    np.testing.assert_allclose(
        ours.quaternions, np.roll(theirs.orientations_quat_wxyz, -1, axis=1), atol=1e-8
    )


def test_negative_stamps_come_back(tmp_path):
    stamps = np.array([-1_900_000_001, -1, 0, 250_000_000])
    save_tum(Trajectory.level(stamps, np.zeros((4, 4))), tmp_path / 'a.tum')
    assert load_tum(tmp_path / 'a.tum').stamps.tolist() == stamps.tolist()


def test_uptime_in_nanoseconds_is_known_by_its_steps_and_remarks_are_no_headers(tmp_path):
    path = tmp_path / 'a.tum'
    remark = '# poses of mav1 right now in frame map\n'
    path.write_text(remark + as_text([str(3_600 * 10**9 + 10**8 * k) for k in range(len(POSES))]))
    back = load_tum(path)
    assert back.stamps.dtype == np.int64
    assert back.stamps[:2].tolist() == [3_600_000_000_000, 3_600_100_000_000]
    np.testing.assert_allclose(back.quaternions[0], [0.0, 0.0, 0.0, 1.0])
