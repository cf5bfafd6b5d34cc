"""What an observer should see of every candidate: bearing and log-range, with Jacobians.

A sighting is measured in two tangent coordinates of the sphere and the logarithm of its range. The
error of a range grows with the range; in the logarithm it is the same at every distance, so a
sighting that came out short gets no more trust than one that came out long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.geometry import sphere_log, tangent_basis, yaw_rotation
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.types import FloatArray, IntArray, Sightings

MEASUREMENT_SIZE = 3
"""Two tangent coordinates of the bearing, and the log range."""


@dataclass(frozen=True)
class PredictedSightings:
    """Predicted measurements of T candidates by one observer.

    Attributes:
        points: (T, 3) in the optical frame, metres.
        bearings: (T, 3) unit vectors, the predicted directions.
        ranges: (T,) metres.
        bases: (T, 2, 3) tangent bases of the sphere at `bearings`.
        jacobian_blocks: (T, 3, 7) of (two tangent coordinates, log range) by x, y, z, yaw of the
            observer and x, y, z of the candidate; all else has no influence.
        columns: (T, 7) where these seven stand in the state vector.
        linearisation_bias: (T, 3) mean of the measurement over the uncertainty, less that at the
            mean.
        linearisation_covariance: (T, 3, 3) covariance of what is not linear in the measurement.
    """

    points: FloatArray
    bearings: FloatArray
    ranges: FloatArray
    bases: FloatArray
    jacobian_blocks: FloatArray
    columns: IntArray
    linearisation_bias: FloatArray
    linearisation_covariance: FloatArray

    def predicted_covariance(self, covariance: FloatArray) -> FloatArray:
        """Return H P H' plus what is not linear, of every candidate on its own, (T, 3, 3).

        With the noise R of a sighting added it is the innovation covariance S.
        """
        own = covariance[self.columns[:, :, None], self.columns[:, None, :]]
        return (
            self.jacobian_blocks @ own @ self.jacobian_blocks.transpose(0, 2, 1)
            + self.linearisation_covariance
        )

    def jacobians(self, size: int) -> FloatArray:
        """Return H of every candidate over the whole state, (T, 3, size)."""
        full = np.zeros((len(self.ranges), 3, size))
        rows = np.arange(len(full))[:, None, None]
        full[rows, np.arange(3)[None, :, None], self.columns[:, None, :]] = self.jacobian_blocks
        return full

    def subset(self, keep: IntArray) -> PredictedSightings:
        """Return the predictions of some candidates."""
        return PredictedSightings(
            **{name: getattr(self, name)[keep] for name in self.__dataclass_fields__}
        )


def predict_sightings(
    mean: FloatArray,
    covariance: FloatArray,
    observer: int,
    first_columns: IntArray,
    roll_pitch: FloatArray,
    mount: CameraMount,
) -> PredictedSightings:
    """Predict what drone `observer` sees of T candidates, by statistical linear regression.

    v_b = C Rz(-yaw_a) (p_b - p_a) - C' t with C the rotation from the levelled body to the optical
    frame; the measurement is the direction of v on the sphere and the logarithm of its length. H
    has blocks at the observer *and* at the candidate. The cubature points of both give the line
    that fits h best over the uncertainty (Arasaratnam & Haykin 2009), and how far h is off it.

    Args:
        mean: (n,) state vector at the time of the image.
        covariance: (n, n) of the state.
        observer: index of the observing drone.
        first_columns: (T,) where x of every candidate stands in the state vector.
        roll_pitch: (2,) of the observer from its VIO, radians.
        mount: where its camera sits.
    """
    own = np.broadcast_to(4 * observer + np.arange(4), (len(first_columns), 4))
    columns = np.concatenate([own, first_columns[:, None] + np.arange(3)], axis=1)
    block = covariance[columns[:, :, None], columns[:, None, :]]
    root = np.linalg.cholesky(block).transpose(0, 2, 1) * np.sqrt(7.0)  # rows are axes
    points = _optical_points(_cubature_points(mean[columns], root), roll_pitch, mount)
    ranges = np.maximum(np.linalg.norm(points, axis=-1), 1e-6)
    directions = points / ranges[..., None]
    bearings = directions[:, 0]
    bases = tangent_basis(bearings)
    measured = np.empty((len(columns), 15, 3))
    measured[..., :2] = sphere_log(bearings[:, None], directions, bases[:, None])
    measured[..., 2] = np.log(ranges / ranges[:, :1])
    jacobian_blocks, linearisation_bias, linearisation_covariance = _regression(measured, root)
    return PredictedSightings(
        points=points[:, 0],
        bearings=bearings,
        ranges=ranges[:, 0],
        bases=bases,
        jacobian_blocks=jacobian_blocks,
        columns=columns,
        linearisation_bias=linearisation_bias,
        linearisation_covariance=linearisation_covariance,
    )


def _cubature_points(centre: FloatArray, root: FloatArray) -> FloatArray:
    """Return (T, 15, 7) the means of the seven variables, and both ends of every axis."""
    middle = centre[:, None]
    return np.concatenate([middle, middle + root, middle - root], axis=1)


def _optical_points(samples: FloatArray, roll_pitch: FloatArray, mount: CameraMount) -> FloatArray:
    """Return (T, 15, 3) the candidates in the optical frame at the cubature points."""
    optical_from_level = mount.optical_from_level(roll_pitch)
    turned = yaw_rotation(-samples[..., 3]) @ (samples[..., 4:] - samples[..., :3])[..., None]
    return turned[..., 0] @ optical_from_level.T - mount.rotation @ mount.translation


def _regression(
    measured: FloatArray, root: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Jacobians (T, 3, 7), mean offsets (T, 3) and what is not linear (T, 3, 3).

    Args:
        measured: (T, 15, 3) measurements at the cubature points, that at the mean first.
        root: (T, 7, 7) rows are the axes of the points.
    """
    ends = measured[:, 1:]
    linearisation_bias = ends.mean(axis=1)
    centred = ends - linearisation_bias[:, None]
    half = (measured[:, 1:8] - measured[:, 8:]) / 2.0  # odd part: (7, 3) along each axis
    jacobian_blocks = np.asarray(np.linalg.solve(root, half), float).transpose(0, 2, 1)
    total = centred.transpose(0, 2, 1) @ centred / 14.0
    linearisation_covariance = total - half.transpose(0, 2, 1) @ half / 7.0
    return jacobian_blocks, linearisation_bias, linearisation_covariance


def innovations(predicted: PredictedSightings, sightings: Sightings) -> FloatArray:
    """Return the (T, m, 3) differences of measured and predicted bearing (2-dof) and log range.

    The measured range is right on average, so its logarithm is short by half the variance.
    """
    ranges = np.linalg.norm(sightings.positions, axis=1)
    directions = sightings.positions / ranges[:, None]
    residual = np.empty((len(predicted.ranges), len(sightings), 3))
    residual[:, :, :2] = sphere_log(
        predicted.bearings[:, None], directions[None], predicted.bases[:, None]
    )
    measured = np.log(ranges) + sightings.range_var / ranges**2 / 2.0
    residual[:, :, 2] = measured[None] - np.log(predicted.ranges)[:, None]
    return residual - predicted.linearisation_bias[:, None]


def measurement_noise(sightings: Sightings) -> FloatArray:
    """Return the (m, 3, 3) covariances R_j of bearing and log range."""
    noise = np.zeros((len(sightings), 3, 3))
    noise[:, 0, 0] = noise[:, 1, 1] = sightings.bearing_var
    noise[:, 2, 2] = sightings.range_var / np.sum(sightings.positions**2, axis=1)
    return noise
