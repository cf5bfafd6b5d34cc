"""What an observer should see of every candidate: bearing and log-range, with Jacobians.

A sighting is measured in two tangent coordinates of the sphere and the logarithm of its range. The
error of a range grows with the range; in the logarithm it is the same at every distance, so a
sighting that came out short gets no more trust than one that came out long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.geometry import sphere_log, tangent_basis
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.types import FloatArray, IntArray, Sightings

MEASUREMENT_SIZE = 3
"""Two tangent coordinates of the bearing, and the log range."""

NO_RANGE, FORWARD = 1e-6, np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class PredictedSightings:
    """Predicted measurements of T candidates by one observer, under K hypotheses or one.

    Attributes:
        points: (..., T, 3) in the optical frame, metres.
        bearings: (..., T, 3) unit vectors, the predicted directions.
        ranges: (..., T) metres.
        bases: (..., T, 2, 3) tangent bases of the sphere at `bearings`.
        jacobian_blocks: (..., T, 3, 7) of (two tangent coordinates, log range) by x, y, z, yaw of
            the observer and x, y, z of the candidate; all else has no influence.
        columns: (T, 7) where these seven stand in the state vector.
        linearisation_bias: (..., T, 3) mean of the measurement over the uncertainty, less that at
            the mean.
        linearisation_covariance: (..., T, 3, 3) covariance of what is not linear in the
            measurement, and of what else comes on top of the noise of a sighting.
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
        """Return H P H' plus what is not linear, of every candidate on its own, (..., T, 3, 3).

        With the noise R of a sighting added it is the innovation covariance S.

        Args:
            covariance: (..., n, n) P of the state.
        """
        own = covariance[..., self.columns[:, :, None], self.columns[:, None, :]]
        return (
            self.jacobian_blocks @ own @ np.swapaxes(self.jacobian_blocks, -1, -2)
            + self.linearisation_covariance
        )

    def jacobians(self, size: int) -> FloatArray:
        """Return H of every candidate over the whole state, (..., T, 3, size)."""
        full = np.zeros((*self.jacobian_blocks.shape[:-1], size))
        rows = np.arange(len(self.columns))[:, None, None]
        axes = np.arange(MEASUREMENT_SIZE)[None, :, None]
        full[..., rows, axes, self.columns[:, None, :]] = self.jacobian_blocks
        return full

    def with_range_spread(self, sigma: FloatArray) -> PredictedSightings:
        """Return the predictions with a spread (T,) of the log range more, as of unknown sizes."""
        spread = np.zeros((len(sigma), MEASUREMENT_SIZE, MEASUREMENT_SIZE))
        spread[:, 2, 2] = sigma**2
        return replace(self, linearisation_covariance=self.linearisation_covariance + spread)


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
        mean: (..., n) state vector at the time of the image.
        covariance: (..., n, n) of the state.
        observer: index of the observing drone.
        first_columns: (T,) where x of every candidate stands in the state vector.
        roll_pitch: (2,) of the observer from its VIO, radians.
        mount: where its camera sits.
    """
    columns = seven_columns(observer, first_columns)
    block = covariance[..., columns[:, :, None], columns[:, None, :]]
    root = np.swapaxes(np.linalg.cholesky(block), -1, -2) * np.sqrt(7.0)  # rows are axes
    samples = _cubature_points(mean[..., columns], root)
    points = optical_points(samples, roll_pitch, mount)
    ranges = np.linalg.norm(points, axis=-1)
    # Who is where the camera is has no direction: any will do.
    points = np.where((ranges < NO_RANGE)[..., None], NO_RANGE * FORWARD, points)
    ranges = np.maximum(ranges, NO_RANGE)
    directions = points / ranges[..., None]
    bearings = directions[..., 0, :]
    bases = tangent_basis(bearings)
    measured = np.empty(points.shape)
    measured[..., :2] = sphere_log(bearings[..., None, :], directions, bases[..., None, :, :])
    measured[..., 2] = np.log(ranges / ranges[..., :1])
    jacobian_blocks, linearisation_bias, linearisation_covariance = _regression(measured, root)
    return PredictedSightings(
        points=points[..., 0, :],
        bearings=bearings,
        ranges=ranges[..., 0],
        bases=bases,
        jacobian_blocks=jacobian_blocks,
        columns=columns,
        linearisation_bias=linearisation_bias,
        linearisation_covariance=linearisation_covariance,
    )


def seven_columns(observer: int, first_columns: IntArray) -> IntArray:
    """Return (T, 7) where the observer's pose and the candidate's position stand in the state."""
    own = np.broadcast_to(4 * observer + np.arange(4), (len(first_columns), 4))
    return np.concatenate([own, first_columns[:, None] + np.arange(3)], axis=1)


def _cubature_points(centre: FloatArray, root: FloatArray) -> FloatArray:
    """Return (..., 15, 7) the means of the seven variables, and both ends of every axis."""
    middle = centre[..., None, :]
    return np.concatenate([middle, middle + root, middle - root], axis=-2)


def optical_points(samples: FloatArray, roll_pitch: FloatArray, mount: CameraMount) -> FloatArray:
    """Return (..., 3) where candidates are in the optical frame of an observer.

    Args:
        samples: (..., 7) x, y, z, yaw of the observer and x, y, z of the candidate.
        roll_pitch: (2,) of the observer, radians.
        mount: where its camera sits.
    """
    optical_from_level = mount.optical_from_level(roll_pitch)
    offset = samples[..., 4:] - samples[..., :3]
    cosine, sine = np.cos(samples[..., 3]), np.sin(samples[..., 3])
    turned = np.stack(
        [
            cosine * offset[..., 0] + sine * offset[..., 1],
            cosine * offset[..., 1] - sine * offset[..., 0],
            offset[..., 2],
        ],
        axis=-1,
    )
    return turned @ optical_from_level.T - mount.rotation @ mount.translation


def _regression(
    measured: FloatArray, root: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Jacobians (..., 3, 7), mean offsets (..., 3) and what is not linear (..., 3, 3).

    Args:
        measured: (..., 15, 3) measurements at the cubature points, that at the mean first.
        root: (..., 7, 7) rows are the axes of the points.
    """
    ends = measured[..., 1:, :]
    linearisation_bias = ends.mean(axis=-2)
    centred = ends - linearisation_bias[..., None, :]
    # The odd part: (7, 3) along each axis.
    half = (measured[..., 1:8, :] - measured[..., 8:, :]) / 2.0
    jacobian_blocks = np.swapaxes(np.asarray(np.linalg.solve(root, half), float), -1, -2)
    total = np.swapaxes(centred, -1, -2) @ centred / 14.0
    linearisation_covariance = total - np.swapaxes(half, -1, -2) @ half / 7.0
    return jacobian_blocks, linearisation_bias, linearisation_covariance


def innovations(predicted: PredictedSightings, sightings: Sightings) -> FloatArray:
    """Return the (..., T, m, 3) differences of measured and predicted bearing and log range.

    The measured range is right on average, so its logarithm is short by half its variance, which
    of a log-normal range is log(1 + q) with q = sigma_r^2 / r^2: bounded where the range is not
    known at all.
    """
    ranges = np.linalg.norm(sightings.positions, axis=1)
    directions = sightings.positions / ranges[:, None]
    residual = np.empty((*predicted.ranges.shape, len(sightings), 3))
    residual[..., :2] = sphere_log(
        predicted.bearings[..., None, :], directions, predicted.bases[..., None, :, :]
    )
    measured = np.log(ranges) + np.log1p(sightings.range_var / ranges**2) / 2.0
    residual[..., 2] = measured - np.log(predicted.ranges)[..., None]
    return residual - predicted.linearisation_bias[..., None, :]


def measurement_noise(sightings: Sightings) -> FloatArray:
    """Return the (m, 3, 3) covariances R_j of bearing and log range."""
    noise = np.zeros((len(sightings), 3, 3))
    noise[:, 0, 0] = noise[:, 1, 1] = sightings.bearing_var
    noise[:, 2, 2] = sightings.range_var / np.sum(sightings.positions**2, axis=1)
    return noise
