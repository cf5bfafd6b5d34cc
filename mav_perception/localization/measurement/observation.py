"""What an observer should see of every candidate: bearing and log-range, with Jacobians.

A sighting is measured in two tangent coordinates of the sphere and the logarithm of its range. The
error of a range grows with the range; in the logarithm it is the same at every distance, so a
sighting that came out short gets no more trust than one that came out long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.errors import InputError
from mav_perception.geometry import (
    OPTICAL_FROM_BODY,
    sphere_log,
    tangent_basis,
    yaw_rotation,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray, IntArray, Sightings


@dataclass(frozen=True)
class CameraMount:
    """Where the camera sits on the drone.

    Attributes:
        translation: (3,) of the camera in `base_link`, metres.
        rotation: (3, 3) from `base_link` to the optical frame.
        name: of the camera; the first one of a drone has none.
        half_view: half the horizontal and vertical field of view, radians; None for those of the
            filter parameters.
    """

    translation: FloatArray
    rotation: FloatArray
    name: str = ''
    half_view: tuple[float, float] | None = None

    @classmethod
    def forward(
        cls,
        translation: FloatArray,
        roll_pitch_yaw_angles: FloatArray,
        name: str = '',
        half_view: tuple[float, float] | None = None,
    ) -> CameraMount:
        """Mount a camera that looks along body x, then turned by roll, pitch, yaw in radians."""
        turned = Rotation.from_euler('ZYX', np.asarray(roll_pitch_yaw_angles)[::-1]).as_matrix()
        rotation = OPTICAL_FROM_BODY @ turned.T
        return cls(np.asarray(translation, float), rotation, name, half_view)

    def sensor_model(self, parameters: FilterParameters) -> FilterParameters:
        """Return the parameters with the field of view of this camera."""
        if self.half_view is None:
            return parameters
        horizontal, vertical = self.half_view
        return replace(parameters, half_view_horizontal=horizontal, half_view_vertical=vertical)


@dataclass(frozen=True)
class PredictedSightings:
    """Predicted measurements of T candidates by one observer.

    Attributes:
        points: (T, 3) in the optical frame, metres.
        bearings: (T, 3) unit vectors, the predicted directions.
        ranges: (T,) metres.
        bases: (T, 2, 3) tangent bases of the sphere at `bearings`.
        blocks: (T, 3, 7) Jacobians of (two tangent coordinates, log range) by x, y, z, yaw of the
            observer and x, y, z of the candidate; all else has no influence.
        columns: (T, 7) where these seven stand in the state vector.
        offset: (T, 3) mean of the measurement over the uncertainty, less that at the mean.
        curvature: (T, 3, 3) covariance of what is not linear in the measurement.
    """

    points: FloatArray
    bearings: FloatArray
    ranges: FloatArray
    bases: FloatArray
    blocks: FloatArray
    columns: IntArray
    offset: FloatArray
    curvature: FloatArray

    def spread(self, covariance: FloatArray) -> FloatArray:
        """Return H P H^T of every candidate on its own, (T, 3, 3)."""
        own = covariance[self.columns[:, :, None], self.columns[:, None, :]]
        return self.blocks @ own @ self.blocks.transpose(0, 2, 1) + self.curvature

    def jacobians(self, size: int) -> FloatArray:
        """Return H of every candidate over the whole state, (T, 3, size)."""
        full = np.zeros((len(self.ranges), 3, size))
        rows = np.arange(len(full))[:, None, None]
        full[rows, np.arange(3)[None, :, None], self.columns[:, None, :]] = self.blocks
        return full

    def subset(self, keep: IntArray) -> PredictedSightings:
        """Return the predictions of some candidates."""
        return PredictedSightings(
            *(getattr(self, name)[keep] for name in self.__dataclass_fields__)
        )


def check_sightings(sightings: Sightings) -> None:
    """Raise InputError if any number is not finite, a variance not positive or a range zero."""
    count = len(sightings)
    shapes = (sightings.positions.shape, sightings.bearing_var.shape, sightings.range_var.shape)
    if shapes != ((count, 3), (count,), (count,)):
        raise InputError(
            f'Sightings of {sightings.observer} have shapes {shapes}: need one row each.'
        )
    values = (sightings.positions, sightings.bearing_var, sightings.range_var)
    if not all(np.isfinite(v).all() for v in values):
        raise InputError(
            f'Sightings of {sightings.observer} hold NaN or infinity: check the detection node.'
        )
    if (sightings.bearing_var <= 0).any() or (sightings.range_var <= 0).any():
        raise InputError(
            f'Sightings of {sightings.observer} have a variance that is not positive: every '
            'measurement needs bearing_var > 0 and range_var > 0.'
        )
    if (np.linalg.norm(sightings.positions, axis=1) < 1e-6).any():
        raise InputError(f'A sighting of {sightings.observer} lies in the camera itself.')


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
    levelled = Rotation.from_euler('YX', [roll_pitch[1], roll_pitch[0]]).as_matrix()
    body_to_optical = mount.rotation @ levelled.T
    block = covariance[columns[:, :, None], columns[:, None, :]]
    root = np.linalg.cholesky(block).transpose(0, 2, 1) * np.sqrt(7.0)  # rows are axes
    centre = mean[columns][:, None]
    samples = np.concatenate([centre, centre + root, centre - root], axis=1)
    turned = yaw_rotation(-samples[..., 3]) @ (samples[..., 4:] - samples[..., :3])[..., None]
    points = turned[..., 0] @ body_to_optical.T - mount.rotation @ mount.translation
    ranges = np.maximum(np.linalg.norm(points, axis=-1), 1e-6)
    directions = points / ranges[..., None]
    bearings = directions[:, 0]
    bases = tangent_basis(bearings)
    measured = np.empty((len(columns), 15, 3))
    measured[..., :2] = sphere_log(bearings[:, None], directions, bases[:, None])
    measured[..., 2] = np.log(ranges / ranges[:, :1])
    spread = measured[:, 1:]
    offset = spread.mean(axis=1)
    centred = spread - offset[:, None]
    half = (measured[:, 1:8] - measured[:, 8:]) / 2.0  # odd part: (7, 3) along each axis
    blocks = np.linalg.solve(root, half).transpose(0, 2, 1)
    total = centred.transpose(0, 2, 1) @ centred / 14.0
    curvature = total - half.transpose(0, 2, 1) @ half / 7.0
    return PredictedSightings(
        points[:, 0], bearings, ranges[:, 0], bases, blocks, columns, offset, curvature
    )


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
    return residual - predicted.offset[:, None]


def measurement_noise(sightings: Sightings) -> FloatArray:
    """Return the (m, 3, 3) covariances R_j of bearing and log range."""
    noise = np.zeros((len(sightings), 3, 3))
    noise[:, 0, 0] = noise[:, 1, 1] = sightings.bearing_var
    noise[:, 2, 2] = sightings.range_var / np.sum(sightings.positions**2, axis=1)
    return noise


def slowly_changing(noise: FloatArray, since: float, correlation: float) -> FloatArray:
    """Return covariances (..., 3, 3) as they count in the update.

    The error of an apparent size comes from attitude, light and background and stays for a while;
    frames within that time tell the same again. Each then has so much less to say that all of
    them together count as one.

    Args:
        noise: R of bearing and log range.
        since: seconds from the last frame of this camera.
        correlation: seconds for which errors stay alike.
    """
    return noise * max(1.0, correlation / max(since, 1e-3))
