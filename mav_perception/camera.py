"""Camera models over OpenCV: pinhole with distortion, and equidistant fisheye.

Pixels are (column, row) with the centre of the first pixel at (0, 0). Rays are unit vectors in
the optical frame: z forward, x right, y down (REP-103).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from mav_perception.errors import InputError
from mav_perception.types import FloatArray

DISTORTION_MODELS = {'plumb_bob': 5, 'rational_polynomial': 8, 'equidistant': 4}
"""Models of sensor_msgs/CameraInfo and their numbers of coefficients."""


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
        if len(self.distortion) not in (0, DISTORTION_MODELS[self.model]):
            raise InputError(
                f'{self.model} needs {DISTORTION_MODELS[self.model]} distortion coefficients, '
                f'camera_info has {len(self.distortion)}.'
            )

    @classmethod
    def with_field_of_view(cls, width: int, height: int, horizontal: float) -> PinholeCamera:
        """Build an ideal camera from its horizontal field of view in radians."""
        focal = width / (2.0 * np.tan(horizontal / 2.0))
        return cls(width, height, focal, focal, (width - 1) / 2.0, (height - 1) / 2.0)

    @property
    def half_field_of_view(self) -> tuple[float, float]:
        """Return half the horizontal and vertical field of view of the ideal lens, radians."""
        return (
            float(np.arctan(self.width / (2.0 * self.fx))),
            float(np.arctan(self.height / (2.0 * self.fy))),
        )

    @property
    def matrix(self) -> FloatArray:
        """Return the (3, 3) intrinsic matrix K."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def unproject(self, pixels: FloatArray) -> FloatArray:
        """Return the (n, 3) unit rays of (n, 2) pixels."""
        points = np.asarray(pixels, float).reshape(-1, 1, 2)
        if not len(points):
            return np.zeros((0, 3))
        if self.model == 'equidistant' and len(self.distortion):
            ideal = cv2.fisheye.undistortPoints(points, self.matrix, self.distortion)
        else:
            ideal = cv2.undistortPoints(points, self.matrix, self.distortion)
        rays = np.concatenate([ideal[:, 0], np.ones((len(points), 1))], axis=1)
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)

    def project(self, points: FloatArray) -> FloatArray:
        """Return the (n, 2) pixels of (n, 3) points in the optical frame, in front of the lens."""
        points = np.asarray(points, float).reshape(-1, 1, 3)
        zero = np.zeros(3)
        if self.model == 'equidistant' and len(self.distortion):
            pixels, _ = cv2.fisheye.projectPoints(points, zero, zero, self.matrix, self.distortion)
        else:
            pixels, _ = cv2.projectPoints(points, zero, zero, self.matrix, self.distortion)
        return np.asarray(pixels, float).reshape(-1, 2)
