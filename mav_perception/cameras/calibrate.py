"""Intrinsics of a camera from images of a known board, through OpenCV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import DataError, MissingDependencyError
from mav_perception.types import ByteImage, FloatArray

FEWEST_VIEWS = 5
FEWEST_CORNERS = 16


@dataclass(frozen=True)
class BoardView:
    """Corners of the board seen in one image: (n, 3) on the board [m] and (n, 2) pixels."""

    board: FloatArray
    pixels: FloatArray


@dataclass(frozen=True)
class Chessboard:
    """A chessboard with so many inner corners and squares of this side in metres."""

    columns: int
    rows: int
    square: float

    def find(self, grey: ByteImage) -> BoardView | None:
        """Return all corners in an image, or None."""
        found, corners = cv2.findChessboardCornersSB(grey, (self.columns, self.rows))
        if not found:
            return None
        y, x = np.mgrid[: self.rows, : self.columns]
        board = self.square * np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
        return BoardView(board, np.asarray(corners, float).reshape(-1, 2))


@dataclass(frozen=True)
class AprilGrid:
    """Kalibr's grid of 36h11 tags: tag 0 at the bottom left, numbered row by row upwards.

    Attributes:
        columns, rows: number of tags.
        tag: side of a tag, metres.
        spacing: gap between tags as a share of that.
    """

    columns: int
    rows: int
    tag: float
    spacing: float

    def __post_init__(self) -> None:
        """Refuse an OpenCV that cannot find tags: those of Ubuntu 22.04 and 24.04 are older."""
        if not hasattr(getattr(cv2, 'aruco', None), 'ArucoDetector'):
            raise MissingDependencyError(
                f'Tags need OpenCV 4.7 or newer, not {cv2.__version__}: install it in a virtual '
                "environment, pip install 'opencv-python-headless>=4.7', or use a chessboard."
            )

    def find(self, grey: ByteImage) -> BoardView | None:
        """Return the corners of all tags that are seen, or None if they are too few."""
        settings = cv2.aruco.DetectorParameters()
        settings.markerBorderBits = 2  # Kalibr prints a border of two cells
        settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
        dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
        corners, ids, _ = cv2.aruco.ArucoDetector(dictionary, settings).detectMarkers(grey)
        found = [
            (self._corners_on_board(int(number)), corner.reshape(4, 2))
            for corner, number in zip(
                corners, np.ravel(ids if ids is not None else []), strict=True
            )
            if number < self.columns * self.rows
        ]
        if 4 * len(found) < FEWEST_CORNERS:
            return None
        board = np.concatenate([b for b, _ in found])
        return BoardView(board, np.concatenate([p for _, p in found]).astype(float))

    def _corners_on_board(self, number: int) -> FloatArray:
        """Return top left, top right, bottom right and bottom left of a tag, y upwards."""
        row, column = divmod(number, self.columns)
        left, bottom = np.array([column, row]) * self.tag * (1.0 + self.spacing)
        unit = np.array([[0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]], float)
        return unit * self.tag + (left, bottom, 0.0)


@dataclass(frozen=True)
class Calibration:
    """Result: the camera, the root mean square reprojection error, and that of every view."""

    camera: PinholeCamera
    error: float
    view_errors: FloatArray


def find_boards(
    images: Iterable[tuple[str, ByteImage]], board: Chessboard | AprilGrid
) -> tuple[list[BoardView], tuple[int, int], list[str]]:
    """Find a board in named images.

    Returns:
        The views, rows and columns of the images, and a line for every image of no use.
    """
    views, problems = [], []
    size: tuple[int, int] | None = None
    for name, image in images:
        grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        size = size or (grey.shape[0], grey.shape[1])
        if grey.shape != size:
            problems.append(f'{name} is {grey.shape}, the first image {size}: left out.')
            continue
        view = board.find(grey)  # type: ignore[arg-type]
        if view is None:
            problems.append(f'{name} does not show the board well enough: left out.')
        else:
            views.append(view)
    return views, size or (0, 0), problems


def calibrate(views: list[BoardView], size: tuple[int, int], fisheye: bool) -> Calibration:
    """Fit intrinsics and distortion to views of a board.

    Args:
        views: corners on the board and in the images.
        size: rows and columns of the images.
        fisheye: an equidistant lens instead of a pinhole with radial-tangential distortion.

    Raises:
        DataError: too few views, or OpenCV finds no solution.
    """
    if len(views) < FEWEST_VIEWS:
        raise DataError(
            f'The board was found in {len(views)} images, at least {FEWEST_VIEWS} are needed: '
            'check the size that you gave, the light and the sharpness.'
        )
    shape = (size[1], size[0])
    try:
        error, matrix, distortion, turns, shifts = _fit(views, shape, fisheye)
    except cv2.error as failure:
        raise DataError(
            f'OpenCV finds no camera that fits these views ({failure.err}): take pictures with '
            'the board tilted more, and try with or without --fisheye.'
        ) from failure
    model = 'equidistant' if fisheye else 'plumb_bob'
    fx, fy, cx, cy = (float(matrix[i]) for i in ((0, 0), (1, 1), (0, 2), (1, 2)))
    camera = PinholeCamera(
        width=shape[0],
        height=shape[1],
        fx=fx,
        fy=fy,
        cx=cx,
        cy=cy,
        model=model,
        distortion=np.ravel(distortion).astype(float),
    )
    errors = [
        _reprojection_error(camera, view, turn, shift)
        for view, turn, shift in zip(views, turns, shifts, strict=True)
    ]
    return Calibration(camera, float(error), np.array(errors))


def _fit(views: list[BoardView], shape: tuple[int, int], fisheye: bool) -> Any:
    """Return OpenCV's error, matrix, distortion, and the rotation and translation of each view."""
    if fisheye:
        boards = [v.board[None].astype(np.float64) for v in views]
        pixels = [v.pixels[None].astype(np.float64) for v in views]
        # OpenCV 5 moved these from cv2.fisheye to cv2, with other values.
        home: Any = cv2.fisheye if hasattr(cv2.fisheye, 'CALIB_FIX_SKEW') else cv2
        flags = home.CALIB_RECOMPUTE_EXTRINSIC | home.CALIB_FIX_SKEW
        return cv2.fisheye.calibrate(boards, pixels, shape, np.eye(3), np.zeros(4), flags=flags)
    boards = [v.board.astype(np.float32) for v in views]
    pixels = [v.pixels.astype(np.float32) for v in views]
    return cv2.calibrateCamera(boards, pixels, shape, np.eye(3), np.zeros(5))


def _reprojection_error(
    camera: PinholeCamera, view: BoardView, turn: np.ndarray, shift: np.ndarray
) -> float:
    rotation, _ = cv2.Rodrigues(turn)
    points = view.board @ rotation.T + np.ravel(shift)
    return float(np.sqrt(((camera.project(points) - view.pixels) ** 2).sum(axis=1).mean()))
