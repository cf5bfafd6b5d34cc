"""Candidates: who may have given the sightings of a scan, by a first look at all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import optical_points, seven_columns
from mav_perception.localization.measurement.visibility import FieldOfView, view_probability
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.types import BoolArray, FloatArray, IntArray

OUT_OF_VIEW = 1e-6
"""Who is less likely in view than this, under every hypothesis, is no candidate."""

CAUTION = 6.0
"""Standard deviations of the first look within which a sighting may lie in a gate."""


@dataclass(frozen=True)
class Candidates:
    """Who may be in view under any of K hypotheses.

    Attributes:
        index: (C,) drone indices, then N + indices of static objects.
        columns: (C,) where x of each stands in the state vector.
        view_probability: (K, C) probability that each is in view.
        near: (C,) whether a sighting may lie in the gate of each.
    """

    index: IntArray
    columns: IntArray
    view_probability: FloatArray
    near: BoolArray


def candidates_in_view(
    state: JointState, scan: CameraScan, parameters: FilterParameters
) -> Candidates:
    """Look which drones with a pose, but for the observer, and which objects may be in view.

    Most objects are not, and most of those in view are near no sighting: the costly regression of
    their measurement would tell nothing.

    Args:
        state: joint state at the time of the scan.
        scan: the camera scan.
        parameters: with the field of view of the camera.
    """
    seen = state.active.copy()
    seen[scan.observer] = False
    drones, objects = np.flatnonzero(seen), np.arange(len(state.objects))
    columns = np.concatenate([4 * drones, 4 * state.drones + 3 * objects])
    samples = seven_columns(scan.observer, columns)
    means, covariances = state.means_now, state.covariances_now
    points = optical_points(means[:, samples], scan.roll_pitch, scan.mount)
    bearing, log_range = _sigmas(means, covariances, samples)
    view = view_probability(points, FieldOfView.of(parameters), bearing, log_range)
    is_object = columns >= 4 * state.drones
    spread = np.hypot(log_range, np.where(is_object, parameters.object_size_sigma, 0.0))
    near = np.any(_near(points, bearing, spread, scan), axis=0)
    likely = (view > OUT_OF_VIEW).any(axis=0)
    index = np.concatenate([drones, state.drones + objects])
    return Candidates(index[likely], columns[likely], view[:, likely], near[likely])


def _sigmas(
    means: FloatArray, covariances: FloatArray, samples: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return (K, C) standard deviations of bearing and log range, to first order.

    Args:
        means: (K, n) x.
        covariances: (K, n, n) P.
        samples: (C, 7) where the pose of the observer and the position of the candidate stand.
    """
    own, other = samples[:, :3], samples[:, 4:]
    offset = means[:, other] - means[:, own]
    squared_range = np.maximum(np.sum(offset**2, axis=-1), 1e-6)
    tie = covariances[:, own[:, :, None], other[:, None, :]]
    relative = (
        covariances[:, own[:, :, None], own[:, None, :]]
        + covariances[:, other[:, :, None], other[:, None, :]]
        - tie - np.swapaxes(tie, -1, -2)
    )  # fmt: skip
    along = np.einsum('kci,kcij,kcj->kc', offset, relative, offset) / squared_range
    across = (np.trace(relative, axis1=-2, axis2=-1) - along) / 2.0
    yaw = samples[:, 3]
    bearing = np.maximum(across, 0.0) / squared_range + covariances[:, yaw, yaw]
    return np.sqrt(bearing), np.sqrt(np.maximum(along, 0.0) / squared_range)


def _near(
    points: FloatArray, bearing: FloatArray, log_range: FloatArray, scan: CameraScan
) -> BoolArray:
    """Return (K, C) whether any sighting is so near that it may lie in the gate.

    Args:
        points: (K, C, 3) predicted positions in the optical frame.
        bearing: (K, C) standard deviation of the predicted bearing, radians.
        log_range: (K, C) the same of the log range.
        scan: the camera scan.
    """
    seen = scan.sightings.positions
    ranges = np.linalg.norm(points, axis=-1)[..., None]
    seen_ranges = np.linalg.norm(seen, axis=1)
    cosine = points @ seen.T / np.maximum(ranges * seen_ranges, 1e-9)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    ratio = np.abs(np.log(np.maximum(ranges, 1e-6) / seen_ranges))
    angle_sigma = np.sqrt(bearing[..., None] ** 2 + scan.sightings.bearing_var)
    ratio_sigma = np.sqrt(log_range[..., None] ** 2 + scan.sightings.range_var / seen_ranges**2)
    inside = (angle < CAUTION * angle_sigma) & (ratio < CAUTION * ratio_sigma)
    return np.asarray(np.any(inside, axis=-1))
