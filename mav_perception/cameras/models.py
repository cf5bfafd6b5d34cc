"""Camera models over OpenCV: pinhole with distortion, and equidistant fisheye.

Pixels are (column, row) with the centre of the first pixel at (0, 0). Rays are unit vectors in
the optical frame: z forward, x right, y down (REP-103).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from mav_perception.cameras.distortion import DISTORTION_MODELS
from mav_perception.cameras.fisheye import plane_from_points, rays_from_plane
from mav_perception.errors import InputError
from mav_perception.types import FloatArray


@dataclass(frozen=True)
class PinholeCamera:
    """Intrinsics of one camera.

    Attributes:
        width, height: image size in pixels.
        fx, fy, cx, cy: focal lengths and principal point in pixels.
        model: 'plumb_bob', 'rational_polynomial' or 'equidistant' (fisheye).
        distortion: coefficients in OpenCV's order; none means an ideal lens.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    model: str = 'plumb_bob'
    distortion: FloatArray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        """Refuse intrinsics that cannot be those of a camera."""
        if not (self.width > 0 and self.height > 0):
            raise InputError(
                f'camera_info has image size {self.width}x{self.height}: calibrate it.'
            )
        values = np.array([self.fx, self.fy, self.cx, self.cy, *self.distortion])
        if not np.isfinite(values).all() or self.fx <= 0.0 or self.fy <= 0.0:
            raise InputError(
                f'camera_info has no intrinsics (fx {self.fx}, fy {self.fy}): calibrate the '
                'camera and let its driver publish K.'
            )
        if self.model not in DISTORTION_MODELS:
            raise InputError(
                f'Unknown distortion model {self.model!r}: use one of '
                f'{", ".join(DISTORTION_MODELS)}.'
            )
        sizes = DISTORTION_MODELS[self.model]
        if len(self.distortion) not in (0, *sizes):
            raise InputError(
                f'{self.model} has {" or ".join(map(str, sorted(sizes)))} distortion '
                f'coefficients, here are {len(self.distortion)}.'
            )

    @classmethod
    def with_field_of_view(cls, width: int, height: int, horizontal: float) -> PinholeCamera:
        """Build an ideal camera from its horizontal field of view in radians."""
        focal = width / (2.0 * np.tan(horizontal / 2.0))
        return cls(width, height, focal, focal, (width - 1) / 2.0, (height - 1) / 2.0)

    def window(self, corner: tuple[int, int], size: tuple[int, int]) -> PinholeCamera:
        """Return the camera of a window of its images: (column, row) and (width, height)."""
        return replace(
            self, width=size[0], height=size[1], cx=self.cx - corner[0], cy=self.cy - corner[1]
        )

    def binned(self, columns: int, rows: int) -> PinholeCamera:
        """Return the camera of images of which so many columns and rows are one pixel.

        As image_geometry of ROS has it: all of K is divided.
        """
        return replace(
            self,
            width=self.width // columns,
            height=self.height // rows,
            fx=self.fx / columns,
            fy=self.fy / rows,
            cx=self.cx / columns,
            cy=self.cy / rows,
        )

    @property
    def half_field_of_view(self) -> tuple[float, float]:
        """Return the larger half of the horizontal and of the vertical field of view, radians."""
        sides = np.array(
            [
                [-0.5, self.cy],
                [self.width - 0.5, self.cy],
                [self.cx, -0.5],
                [self.cx, self.height - 0.5],
            ]
        )
        angles = np.arccos(np.clip(self.unproject(sides)[:, 2], -1.0, 1.0))
        return float(angles[:2].max()), float(angles[2:].max())

    @property
    def matrix(self) -> FloatArray:
        """Return the (3, 3) intrinsic matrix K."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def unproject(self, pixels: FloatArray) -> FloatArray:
        """Return the (n, 3) unit rays of (n, 2) pixels."""
        points = np.asarray(pixels, float).reshape(-1, 2)
        if not len(points):
            return np.zeros((0, 3))
        if self.model == 'equidistant':
            plane = (points - (self.cx, self.cy)) / (self.fx, self.fy)
            return rays_from_plane(plane, self._coefficients)
        ideal = cv2.undistortPoints(points[:, None], self.matrix, self.distortion)
        rays = np.concatenate([ideal[:, 0], np.ones((len(points), 1))], axis=1)
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)

    def project(self, points: FloatArray) -> FloatArray:
        """Return the (n, 2) pixels of (n, 3) points in the optical frame.

        The points must lie in front of a pinhole; an equidistant lens sees behind it too.
        """
        points = np.asarray(points, float).reshape(-1, 3)
        if not len(points):
            return np.zeros((0, 2))
        if self.model == 'equidistant':
            plane = plane_from_points(points, self._coefficients)
            return plane * (self.fx, self.fy) + (self.cx, self.cy)
        zero = np.zeros(3)
        pixels, _ = cv2.projectPoints(points[:, None], zero, zero, self.matrix, self.distortion)
        return np.asarray(pixels, float).reshape(-1, 2)

    @property
    def _coefficients(self) -> FloatArray:
        """Return the coefficients of an equidistant lens, zeros for an ideal one."""
        return self.distortion if len(self.distortion) else np.zeros(4)
