"""Find the intrinsics of a camera from images of a chessboard or an AprilGrid.

The board should fill a third of the image or more, be tilted both ways, and reach every corner of
the image in some picture. The file that is written is a ROS camera_info YAML.

Examples:
  mav-perception calibrate images/ --chessboard 9x6 --square 0.03 --output camera.yaml
  mav-perception calibrate images/ --aprilgrid 6x6 --tag 0.088 --spacing 0.3 --fisheye
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mav_perception.errors import ConfigurationError, DataError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument('images', type=Path, help='folder of images of the board')
    board = parser.add_mutually_exclusive_group(required=True)
    board.add_argument('--chessboard', metavar='CxR', help='inner corners, as in 9x6')
    board.add_argument('--aprilgrid', metavar='CxR', help='tags 36h11 of a Kalibr grid, as in 6x6')
    parser.add_argument('--square', type=float, default=0.03, help='side of a square [m]')
    parser.add_argument('--tag', type=float, default=0.088, help='side of a tag [m]')
    parser.add_argument('--spacing', type=float, default=0.3, help='gap of tags / side of a tag')
    parser.add_argument('--fisheye', action='store_true', help='equidistant lens')
    parser.add_argument('--output', type=Path, default=Path('camera.yaml'))


def run(arguments: argparse.Namespace) -> int:
    """Find the board in every image, fit, and write the file."""
    from tqdm import tqdm

    from mav_perception.cameras.boards import AprilGrid, Chessboard, find_boards
    from mav_perception.cameras.calibrate import calibrate
    from mav_perception.cameras.files import save_camera
    from mav_perception.io.images import image_files, read_image

    for name in ('square', 'tag', 'spacing'):
        if not 0.0 < getattr(arguments, name) < 100.0:
            raise ConfigurationError(
                f'--{name} {getattr(arguments, name)}: give a positive number, metres for sides.'
            )
    board: AprilGrid | Chessboard
    if arguments.chessboard:
        board = Chessboard(*_size(arguments.chessboard, 3), arguments.square)
    else:
        board = AprilGrid(*_size(arguments.aprilgrid), arguments.tag, arguments.spacing)
    files = image_files(arguments.images)
    if not files:
        raise DataError(f'No images in {arguments.images}: give the folder of the board images.')
    shown = tqdm(files, desc='boards', disable=None, leave=False)
    views, size, problems = find_boards(((str(f), read_image(f)) for f in shown), board)
    for problem in problems:
        print(problem)
    result = calibrate(views, size, arguments.fisheye)
    save_camera(result.camera, arguments.output)
    used = len(result.view_errors)
    print(
        f'{used} of {len(files)} images, reprojection error {result.error:.3f} pixels, '
        f'worst {result.view_errors.max():.3f}; fx {result.camera.fx:.2f} fy '
        f'{result.camera.fy:.2f} cx {result.camera.cx:.2f} cy {result.camera.cy:.2f}'
    )
    print(f'Wrote {arguments.output}')
    return 0


def _size(text: str, least: int = 2) -> tuple[int, int]:
    try:
        columns, rows = (int(v) for v in text.split('x'))
    except ValueError:
        raise ConfigurationError(f'Board size {text!r} must be COLUMNSxROWS, as in 9x6.') from None
    if min(columns, rows) < least:
        raise ConfigurationError(f'Board size {text!r} must be at least {least}x{least}.')
    return columns, rows
