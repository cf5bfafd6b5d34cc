"""Calibration finds the camera that took the pictures."""

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mav_perception import cli
from mav_perception.cameras.boards import AprilGrid, Chessboard, find_boards
from mav_perception.cameras.calibrate import calibrate
from mav_perception.cameras.files import load_camera
from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import DataError, MissingDependencyError

PINHOLE = PinholeCamera(
    640, 480, 420, 422, 322, 238, 'plumb_bob', np.array([-0.15, 0.03, 0.001, -0.001, 0.0])
)
FISHEYE = PinholeCamera(
    640, 480, 260, 261, 321, 239, 'equidistant', np.array([0.02, -0.004, 0.001, 0.0])
)
CHESSBOARD = Chessboard(8, 5, 0.04)
TAGS = hasattr(getattr(cv2, 'aruco', None), 'ArucoDetector')
"""Whether this OpenCV finds tags: from 4.7 on."""


def chessboard_texture():
    """Draw the board at 1000 pixels a metre; its first inner corner is the origin."""
    squares = (np.indices((6, 9)).sum(axis=0) % 2).astype(np.uint8) * 215 + 20
    texture = np.full((320, 440), 235, np.uint8)
    texture[40:280, 40:400] = np.kron(squares, np.ones((40, 40), np.uint8))
    return texture, np.array([80.0, 80.0]), 1.0


def aprilgrid_texture():
    """Draw Kalibr's grid at 1000 pixels a metre; tag 0 is at the bottom left, y is up."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    texture = np.full((400, 480), 255, np.uint8)
    for number in range(20):
        row, column = divmod(number, 5)
        tag = cv2.aruco.generateImageMarker(dictionary, number, 60, borderBits=2)
        left, bottom = 40 + 78 * column, 360 - 78 * row
        texture[bottom - 60 : bottom, left : left + 60] = tag
    return texture, np.array([40.0, 360.0]), -1.0


def pictures(camera, texture, count=12):
    """Look at a board from several sides through an exact lens."""
    texture, origin, up = texture
    rng = np.random.default_rng(0)
    v, u = np.mgrid[: camera.height, : camera.width]
    rays = camera.unproject(np.column_stack([u.ravel(), v.ravel()]))
    middle = (np.array(texture.shape[::-1]) / 2.0 - origin) / 1000.0
    for index in range(count):
        turn = Rotation.from_euler('xyz', rng.uniform(-0.5, 0.5, 3)).as_matrix()
        if up < 0.0:  # a board with y up faces a camera with y down
            turn = turn @ np.diag([1.0, -1.0, -1.0])
            middle_of_board = np.array([middle[0], -middle[1], 0.0])
        else:
            middle_of_board = np.array([*middle, 0.0])
        reach = np.array([60.0, 40.0]) / camera.fx  # a wide lens must be filled too
        aim = np.array([*rng.uniform(-reach, reach), rng.uniform(0.28, 0.45)])
        shift = aim - turn @ middle_of_board
        # Where a ray meets the board's plane: r s = turn b + shift with b_z = 0.
        normal = turn[:, 2]
        scale = (normal @ shift) / (rays @ normal)
        board = (rays * scale[:, None] - shift) @ turn
        pixel = origin + 1000.0 * board[:, :2] * (1.0, up) - 0.5
        where = np.where(scale > 0, 1, np.nan)[:, None] * pixel
        maps = np.nan_to_num(where, nan=-1e4).astype(np.float32)
        maps = maps.reshape(camera.height, camera.width, 2)
        image = cv2.remap(texture, maps, None, cv2.INTER_LINEAR, borderValue=255)
        yield f'{index}', cv2.GaussianBlur(image, (3, 3), 0.6)


@pytest.mark.parametrize('camera', [PINHOLE, FISHEYE], ids=['pinhole', 'fisheye'])
@pytest.mark.parametrize('kind', ['chessboard', 'aprilgrid'])
def test_the_camera_is_found_again(camera, kind):
    if kind == 'aprilgrid' and not TAGS:
        pytest.skip('this OpenCV finds no tags')
    board, texture = CHESSBOARD, chessboard_texture()
    if kind == 'aprilgrid':
        board, texture = AprilGrid(5, 4, 0.06, 0.3), aprilgrid_texture()
    views, size, problems = find_boards(pictures(camera, texture), board)
    assert len(views) >= 7, problems
    result = calibrate(views, size, camera.model == 'equidistant')
    assert result.error < 1.0  # blurred by the drawing
    found = result.camera
    assert (found.width, found.height, found.model) == (640, 480, camera.model)
    np.testing.assert_allclose([found.fx, found.fy], [camera.fx, camera.fy], rtol=0.02)
    pixels = np.array([[100.0, 80.0], [320.0, 240.0], [560.0, 400.0]])
    angle = np.degrees(np.arccos((found.unproject(pixels) * camera.unproject(pixels)).sum(1)))
    assert angle.max() < 1.0


def test_the_command_writes_a_file_and_names_useless_pictures(tmp_path, capsys):
    for name, image in pictures(PINHOLE, chessboard_texture()):
        cv2.imwrite(str(tmp_path / f'{name}.png'), image)
    cv2.imwrite(str(tmp_path / 'wall.png'), np.full((480, 640), 128, np.uint8))
    output = tmp_path / 'camera.yaml'
    command = ['calibrate', str(tmp_path), '--chessboard', '8x5', '--square', '0.04']
    assert cli.main([*command, '--output', str(output)]) == 0
    assert 'wall.png does not show the board' in capsys.readouterr().out
    assert load_camera(output).fx == pytest.approx(PINHOLE.fx, rel=0.01)


def test_too_few_views_are_refused():
    with pytest.raises(DataError, match='at least 5'):
        calibrate([], (480, 640), fisheye=False)


def test_a_wrong_board_size_is_refused(tmp_path, capsys):
    assert cli.main(['calibrate', str(tmp_path), '--chessboard', 'nine']) == 2
    assert '9x6' in capsys.readouterr().err


def test_an_opencv_without_tags_is_named(monkeypatch):
    monkeypatch.delattr(cv2, 'aruco', raising=False)  # as that of Ubuntu 22.04 and 24.04
    with pytest.raises(MissingDependencyError, match=r'4\.7'):
        AprilGrid(5, 4, 0.06, 0.3)


@pytest.fixture(scope='module')
def fisheye_views():
    views, size, _ = find_boards(pictures(FISHEYE, chessboard_texture(), 24), CHESSBOARD)
    return views, size


@pytest.mark.parametrize('seed', range(6))
def test_a_fisheye_is_found_from_any_of_the_views_in_any_order(fisheye_views, seed):
    views, size = fisheye_views
    order = np.random.default_rng(seed).permutation(len(views))[: 10 + 2 * seed]
    result = calibrate([views[k] for k in order], size, fisheye=True)
    assert result.error < 1.0
    assert result.camera.fx == pytest.approx(FISHEYE.fx, rel=0.03)


@pytest.mark.parametrize('camera', [PINHOLE, FISHEYE], ids=['pinhole', 'fisheye'])
def test_views_that_are_all_alike_tell_no_focal_length(camera):
    views, size, _ = find_boards(pictures(camera, chessboard_texture(), 6), CHESSBOARD)
    with pytest.raises(DataError, match=r'Only 2 views of the board differ.*tilted more'):
        calibrate(views[:2] * 5, size, camera.model == 'equidistant')


def test_one_picture_of_another_size_costs_the_others_nothing():
    taken = list(pictures(PINHOLE, chessboard_texture(), 8))
    small = ('small', cv2.resize(taken[0][1], (320, 240)))
    views, size, problems = find_boards([small, *taken], CHESSBOARD)
    assert size == (480, 640)
    assert len(views) >= 6
    assert any('small is 320x240, most are 640x480' in problem for problem in problems)


@pytest.mark.parametrize('square', ['0', 'nan', '-0.03'])
def test_a_board_without_a_size_is_refused(tmp_path, capsys, square):
    command = ['calibrate', str(tmp_path), '--chessboard', '8x5', f'--square={square}']
    assert cli.main(command) == 2
    assert '--square' in capsys.readouterr().err
