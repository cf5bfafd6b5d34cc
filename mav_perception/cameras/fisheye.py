"""The equidistant lens of Kannala and Brandt, to rays beyond 90 degrees.

A ray at the angle t from the axis meets the plane of unit focal length at the radius
r(t) = t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8) (Kannala & Brandt, PAMI 2006). OpenCV's own
`cv2.fisheye` divides by z and so ends at 90 degrees.
"""

from __future__ import annotations

import numpy as np

from mav_perception.types import FloatArray

ITERATIONS = 12


def radius_of(angle: FloatArray, distortion: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return r(t) and its derivative."""
    powers = np.array([1, 3, 5, 7, 9])
    factors = np.concatenate([[1.0], distortion])
    terms = angle[..., None] ** powers * factors
    slopes = angle[..., None] ** (powers - 1) * factors * powers
    return terms.sum(axis=-1), slopes.sum(axis=-1)


def rays_from_plane(plane: FloatArray, distortion: FloatArray) -> FloatArray:
    """Return the (n, 3) unit rays of (n, 2) points on the plane of unit focal length."""
    radius = np.linalg.norm(plane, axis=1)
    angle = np.clip(radius, 0.0, np.pi)
    for _ in range(ITERATIONS):  # Newton
        value, slope = radius_of(angle, distortion)
        angle = np.clip(angle - (value - radius) / np.maximum(slope, 1e-3), 0.0, np.pi)
    across = plane / np.maximum(radius, 1e-12)[:, None]
    return np.column_stack([np.sin(angle)[:, None] * across, np.cos(angle)])


def plane_from_points(points: FloatArray, distortion: FloatArray) -> FloatArray:
    """Return where (n, 3) points meet the plane of unit focal length, (n, 2)."""
    across = np.hypot(points[:, 0], points[:, 1])
    radius, _ = radius_of(np.arctan2(across, points[:, 2]), distortion)
    return points[:, :2] * (radius / np.maximum(across, 1e-12))[:, None]
