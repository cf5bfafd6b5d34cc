"""Intrinsics of a camera from images of a known board, through OpenCV."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from mav_perception.cameras.boards import BoardView
from mav_perception.cameras.models import PinholeCamera
from mav_perception.errors import DataError
from mav_perception.types import FloatArray

FEWEST_VIEWS = 5

LARGEST_ERROR = 10.0
"""Pixels of reprojection error beyond which a fit has diverged."""

SHARPEST = 0.05
"""Pixels: no corner is found better, whatever a fit to few views says."""

SAME_VIEW = 3.0
"""Mean pixels by which corners differ between two views of one pose of the board."""

ADVICE = (
    'take pictures with the board tilted more, both ways, near and far and in the corners of the '
    'image, and try with or without --fisheye.'
)

LARGEST_DOUBT = 0.02
"""Standard deviation of the focal length, as a share, beyond which the views do not tell it."""


@dataclass(frozen=True)
class Calibration:
    """Result of a calibration.

    Attributes:
        camera: intrinsics and distortion.
        error: root mean square reprojection error, pixels.
        view_errors: (views,) the same of every view.
    """

    camera: PinholeCamera
    error: float
    view_errors: FloatArray


def calibrate(views: list[BoardView], size: tuple[int, int], fisheye: bool) -> Calibration:
    """Fit intrinsics and distortion to views of a board.

    Args:
        views: corners on the board and in the images.
        size: rows and columns of the images.
        fisheye: an equidistant lens instead of a pinhole with radial-tangential distortion.

    Raises:
        DataError: too few views, no solution, or views that do not tell the focal length.
    """
    if len(views) < FEWEST_VIEWS:
        raise DataError(
            f'The board was found in {len(views)} images, at least {FEWEST_VIEWS} are needed: '
            'check the size that you gave, the light and the sharpness.'
        )
    views = distinct(views)
    if len(views) < FEWEST_VIEWS:
        raise DataError(f'Only {len(views)} views of the board differ: {ADVICE}')
    shape = (size[1], size[0])
    error, matrix, distortion, turns, shifts = _fit(views, shape, fisheye)
    camera = PinholeCamera(
        width=shape[0],
        height=shape[1],
        fx=float(matrix[0, 0]),
        fy=float(matrix[1, 1]),
        cx=float(matrix[0, 2]),
        cy=float(matrix[1, 2]),
        model='equidistant' if fisheye else 'plumb_bob',
        distortion=np.ravel(distortion).astype(float),
    )
    errors = [
        _reprojection_error(camera, view, turn, shift)
        for view, turn, shift in zip(views, turns, shifts, strict=True)
    ]
    doubt = _focal_doubt(camera, views, turns, shifts, float(error))
    if not doubt < LARGEST_DOUBT:
        raise DataError(
            f'These views tell the focal length to {100 * doubt:.1f} % only, they are too much '
            f'alike: {ADVICE}'
        )
    return Calibration(camera, float(error), np.array(errors))


def distinct(views: list[BoardView]) -> list[BoardView]:
    """Return the views without those in which the board has hardly moved since another."""
    kept: list[BoardView] = []
    for view in views:
        if not any(
            one.board.shape == view.board.shape
            and np.array_equal(one.board, view.board)
            and np.abs(one.pixels - view.pixels).mean() < SAME_VIEW
            for one in kept
        ):
            kept.append(view)
    return kept


def _focal_doubt(
    camera: PinholeCamera, views: list[BoardView], turns: Any, shifts: Any, error: float
) -> float:
    """Return the standard deviation of the focal length as a share of it, to first order.

    By the normal equations of the intrinsics, out of which the pose of each view is eliminated
    (Schur complement).
    """
    count = 4 + len(camera.distortion)
    whole = np.zeros((count, count))
    for view, turn, shift in zip(views, turns, shifts, strict=True):
        jacobian = _jacobian(camera, view, np.concatenate([np.ravel(turn), np.ravel(shift)]))
        shared, own = jacobian[:, :count], jacobian[:, count:]
        left = shared - own @ np.linalg.lstsq(own, shared, rcond=None)[0]
        whole += left.T @ left
    # Of each error half is along a row and half along a column.
    covariance = np.linalg.pinv(whole, rcond=1e-12) * max(error, SHARPEST) ** 2 / 2.0
    return float(np.sqrt(max(covariance[0, 0] / camera.fx**2, covariance[1, 1] / camera.fy**2)))


def _jacobian(camera: PinholeCamera, view: BoardView, pose: FloatArray) -> FloatArray:
    """Return (2n, k) derivatives of pixels by fx, fy, cx, cy, distortion and pose of a view."""
    lens = [camera.fx, camera.fy, camera.cx, camera.cy, *camera.distortion]
    values = np.concatenate([lens, pose])

    def pixels(at: FloatArray) -> FloatArray:
        fx, fy, cx, cy = at[:4].tolist()
        moved = replace(camera, fx=fx, fy=fy, cx=cx, cy=cy, distortion=at[4 : len(lens)])
        rotation, _ = cv2.Rodrigues(at[len(lens) : len(lens) + 3])
        return np.ravel(moved.project(view.board @ rotation.T + at[len(lens) + 3 :]))

    steps = 1e-5 * np.maximum(np.abs(values), 0.1)
    return np.column_stack(
        [(pixels(values + d) - pixels(values - d)) / (2.0 * d.max()) for d in np.diag(steps)]
    )


def _fit(views: list[BoardView], shape: tuple[int, int], fisheye: bool) -> Any:
    """Return error, matrix, distortion, and the rotation and translation of each view.

    Raises:
        DataError: there is no solution, or it is no camera.
    """
    try:
        found = _opencv_fit(views, shape, fisheye)
    except cv2.error as failure:
        raise DataError(f'OpenCV finds no camera that fits ({failure.err}): {ADVICE}') from failure
    error, matrix = found[:2]
    if not (np.isfinite(matrix).all() and matrix[0, 0] > 0.0 < matrix[1, 1]):
        raise DataError(f'OpenCV finds no camera that fits (fx {matrix[0, 0]:.0f}): {ADVICE}')
    if error > LARGEST_ERROR:
        raise DataError(f'The best camera is off by {error:.0f} pixels: {ADVICE}')
    return found


def _opencv_fit(views: list[BoardView], shape: tuple[int, int], fisheye: bool) -> Any:
    if fisheye:
        boards = [v.board[None].astype(np.float64) for v in views]
        pixels = [v.pixels[None].astype(np.float64) for v in views]
        # OpenCV 5 moved these from cv2.fisheye to cv2, with other values.
        home: Any = cv2.fisheye if hasattr(cv2.fisheye, 'CALIB_FIX_SKEW') else cv2
        flags = home.CALIB_RECOMPUTE_EXTRINSIC | home.CALIB_FIX_SKEW
        flags |= home.CALIB_USE_INTRINSIC_GUESS
        # Half a sphere across the image: from OpenCV's own first guess many fits diverge.
        guess = np.array(
            [
                [max(shape) / np.pi, 0.0, (shape[0] - 1) / 2.0],
                [0.0, max(shape) / np.pi, (shape[1] - 1) / 2.0],
                [0.0, 0.0, 1.0],
            ]
        )
        return cv2.fisheye.calibrate(boards, pixels, shape, guess, np.zeros(4), flags=flags)
    boards = [v.board.astype(np.float32) for v in views]
    pixels = [v.pixels.astype(np.float32) for v in views]
    return cv2.calibrateCamera(boards, pixels, shape, np.eye(3), np.zeros(5))


def _reprojection_error(
    camera: PinholeCamera, view: BoardView, turn: np.ndarray, shift: np.ndarray
) -> float:
    rotation, _ = cv2.Rodrigues(turn)
    points = view.board @ rotation.T + np.ravel(shift)
    return float(np.sqrt(((camera.project(points) - view.pixels) ** 2).sum(axis=1).mean()))
