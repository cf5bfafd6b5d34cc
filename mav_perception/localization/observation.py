"""What an observer should see of every other drone: bearing and range, Jacobians, P_D."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation
from scipy.special import ndtr

from mav_perception.errors import InputError
from mav_perception.geometry import (
    OPTICAL_FROM_BODY,
    sphere_log,
    tangent_basis,
    yaw_rotation,
    yaw_rotation_derivative,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray, IntArray, Sightings, TeamState


@dataclass(frozen=True)
class CameraMount:
    """Where the camera sits on the drone.

    Attributes:
        translation: (3,) of the camera in `base_link`, metres.
        rotation: (3, 3) from `base_link` to the optical frame.
    """

    translation: FloatArray
    rotation: FloatArray

    @classmethod
    def forward(cls, translation: FloatArray, roll_pitch_yaw_angles: FloatArray) -> CameraMount:
        """Mount a camera that looks along body x, then turned by roll, pitch, yaw in radians."""
        turned = Rotation.from_euler('ZYX', np.asarray(roll_pitch_yaw_angles)[::-1]).as_matrix()
        return cls(np.asarray(translation, float), OPTICAL_FROM_BODY @ turned.T)


@dataclass(frozen=True)
class PredictedSightings:
    """Predicted measurements of T candidates by one observer.

    Attributes:
        candidates: (T,) indices of the drones that may be seen: all but the observer.
        points: (T, 3) in the optical frame.
        bearings: (T, 3) unit vectors, the predicted directions.
        ranges: (T,) metres.
        bases: (T, 2, 3) tangent bases of the sphere at `bearings`.
        jacobians: (T, 3, 4N) of (two tangent coordinates, range) by the joint state.
    """

    candidates: IntArray
    points: FloatArray
    bearings: FloatArray
    ranges: FloatArray
    bases: FloatArray
    jacobians: FloatArray


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
    state: TeamState, observer: int, roll_pitch: FloatArray, mount: CameraMount
) -> PredictedSightings:
    """Predict what drone `observer` sees of each other drone.

    v_b = C Rz(-yaw_a) (p_b - p_a) - C' t with C the rotation from the levelled body to the optical
    frame; the measurement is the direction of v on the sphere and its length. H has blocks at the
    observer *and* at the target.

    Args:
        state: joint state at the time of the image.
        observer: index of the observing drone.
        roll_pitch: (2,) of the observer from its VIO, radians.
        mount: where its camera sits.
    """
    mean = state.mean
    count = len(mean)
    candidates = np.delete(np.arange(count), observer)
    levelled = Rotation.from_euler('YX', [roll_pitch[1], roll_pitch[0]]).as_matrix()
    body_to_optical = mount.rotation @ levelled.T
    yaw = mean[observer, 3]
    to_optical = body_to_optical @ yaw_rotation(-yaw)
    turn = -body_to_optical @ yaw_rotation_derivative(-yaw)
    offset = mean[candidates, :3] - mean[observer, :3]
    points = offset @ to_optical.T - mount.rotation @ mount.translation
    ranges = np.maximum(np.linalg.norm(points, axis=1), 1e-6)
    bearings = points / ranges[:, None]
    bases = tangent_basis(bearings)

    # Rows of d(tangent, range)/d(point): the tangent basis over the range, and the direction.
    rows = np.concatenate([bases / ranges[:, None, None], bearings[:, None, :]], axis=1)
    jacobians = np.zeros((len(candidates), 3, 4 * count))
    by_target = rows @ to_optical
    jacobians[:, :, 4 * observer : 4 * observer + 3] = -by_target
    jacobians[:, :, 4 * observer + 3] = np.einsum('tij,tj->ti', rows, offset @ turn.T)
    for index, candidate in enumerate(candidates):
        jacobians[index, :, 4 * candidate : 4 * candidate + 3] = by_target[index]
    return PredictedSightings(candidates, points, bearings, ranges, bases, jacobians)


def innovations(predicted: PredictedSightings, sightings: Sightings) -> FloatArray:
    """Return the (T, m, 3) differences of measured and predicted bearing (2-dof) and range."""
    ranges = np.linalg.norm(sightings.positions, axis=1)
    directions = sightings.positions / ranges[:, None]
    residual = np.empty((len(predicted.ranges), len(sightings), 3))
    residual[:, :, :2] = sphere_log(
        predicted.bearings[:, None], directions[None], predicted.bases[:, None]
    )
    residual[:, :, 2] = ranges[None] - predicted.ranges[:, None]
    return residual


def measurement_noise(sightings: Sightings) -> FloatArray:
    """Return the (m, 3, 3) covariances R_j of bearing and range."""
    noise = np.zeros((len(sightings), 3, 3))
    noise[:, 0, 0] = noise[:, 1, 1] = sightings.bearing_var
    noise[:, 2, 2] = sightings.range_var
    return noise


def detection_probability(
    predicted: PredictedSightings, spread: FloatArray, parameters: FilterParameters
) -> FloatArray:
    """Return the (T,) probabilities that each candidate gives a sighting.

    The field of view and the range limits are integrated over the uncertainty of the prediction,
    so the edge is as soft as the drone's position is uncertain.

    Args:
        predicted: predicted sightings.
        spread: (T, 3, 3) covariances H P H^T of bearing and range, without measurement noise.
        parameters: P_D in full view, field of view and range limits.
    """
    x, y, z = predicted.points.T
    angle_sigma = np.sqrt(np.maximum((spread[:, 0, 0] + spread[:, 1, 1]) / 2.0, 1e-12))
    range_sigma = np.sqrt(np.maximum(spread[:, 2, 2], 1e-12))
    inside = np.full(len(x), parameters.detection_probability)
    for angle, half in (
        (np.arctan2(x, z), parameters.half_view_horizontal),
        (np.arctan2(y, z), parameters.half_view_vertical),
    ):
        inside *= ndtr((half - angle) / angle_sigma) - ndtr((-half - angle) / angle_sigma)
    low = (parameters.min_range - predicted.ranges) / range_sigma
    high = (parameters.max_range - predicted.ranges) / range_sigma
    return inside * (ndtr(high) - ndtr(low))


def clutter_density(parameters: FilterParameters) -> float:
    """Return the density of false sightings per rad^2 and metre of the measurement space.

    False sightings are Poisson, uniform over the field of view and over range.
    """
    horizontal, vertical = parameters.half_view_horizontal, parameters.half_view_vertical
    # Solid angle of a rectangular pyramid; wider than a half space it is that of a lens circle.
    if max(horizontal, vertical) < np.pi / 2.0:
        solid_angle = 4.0 * np.arcsin(np.sin(horizontal) * np.sin(vertical))
    else:
        solid_angle = 2.0 * np.pi * (1.0 - np.cos(min(max(horizontal, vertical), np.pi)))
    volume = float(solid_angle) * (parameters.max_range - parameters.min_range)
    return parameters.clutter_per_frame * parameters.clutter_density_scale / volume
