"""Boards of known size: where their corners lie in images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from mav_perception.errors import MissingDependencyError
from mav_perception.types import ByteImage, FloatArray

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


def find_boards(
    images: Iterable[tuple[str, ByteImage]], board: Chessboard | AprilGrid
) -> tuple[list[BoardView], tuple[int, int], list[str]]:
    """Find a board in named images.

    Returns:
        The views, rows and columns of the images, and a line for every image of no use.
    """
    found: list[tuple[str, tuple[int, int], BoardView]] = []
    problems = []
    for name, image in images:
        grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        view = board.find(grey)  # type: ignore[arg-type]
        if view is None:
            problems.append(f'{name} does not show the board well enough: left out.')
        else:
            found.append((name, (grey.shape[0], grey.shape[1]), view))
    sizes = Counter(size for _, size, _ in found).most_common(1)
    usual = sizes[0][0] if sizes else (0, 0)
    problems += [
        f'{name} is {size[1]}x{size[0]}, most are {usual[1]}x{usual[0]}: left out.'
        for name, size, _ in found
        if size != usual
    ]
    return [view for _, size, view in found if size == usual], usual, problems
