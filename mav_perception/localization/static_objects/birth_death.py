"""Static objects enter and leave the joint state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.geometry import tangent_basis, yaw_rotation, yaw_rotation_derivative
from mav_perception.localization.measurement.observation import measurement_noise
from mav_perception.localization.measurement.visibility import clutter_per_volume
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, JointState
from mav_perception.localization.static_objects.statistics import (
    LEAST_EXISTENCE,
    Birth,
    StaticObjects,
    UnexplainedSightings,
    remember,
)
from mav_perception.localization.update.scan import CameraScan
from mav_perception.types import FloatArray, IntArray

UNEXPLAINED = 0.5
"""A sighting that candidates explain less than this may show a static object."""

BIRTH_EXISTENCE = 0.9


def with_static_objects(
    state: JointState, frame: CameraScan, unexplained: FloatArray, parameters: FilterParameters
) -> JointState:
    """Return the state without vanished objects and with those that sightings agree on.

    Args:
        state: after the update with the frame.
        frame: the camera frame.
        unexplained: (m,) probability that no candidate gave the sighting.
        parameters: of the filter.
    """
    if parameters.max_objects == 0:
        return state
    state = _without_vanished(state)
    index = np.flatnonzero(unexplained > UNEXPLAINED)
    if not len(index):
        return state
    new, clutter = _placed(state, frame, index, parameters)
    objects, births = remember(state.objects, new, clutter, parameters)
    state = replace(state, objects=objects)
    for birth in births:
        state = _with_object(state, frame, int(index[birth.sighting]), birth)
    return state


def _without_vanished(state: JointState) -> JointState:
    if not len(state.objects):
        return state
    weights = np.array([h.weight for h in state.hypotheses])
    existence = weights @ np.array([h.existence for h in state.hypotheses])
    gone = existence < LEAST_EXISTENCE
    if not gone.any():
        return state
    stays = np.concatenate([np.ones(4 * state.drones, bool), np.repeat(~gone, 3)])
    hypotheses = tuple(
        JointHypothesis(
            h.weight, h.mean[stays], h.covariance[np.ix_(stays, stays)], h.existence[~gone]
        )
        for h in state.hypotheses
    )
    return replace(state, hypotheses=hypotheses, objects=state.objects.without(gone))


def _placed(
    state: JointState, frame: CameraScan, index: IntArray, parameters: FilterParameters
) -> tuple[UnexplainedSightings, FloatArray]:
    """Place sightings in the observer's odometry frame; and the clutter there, per m^3."""
    row = state.anchors[frame.observer]
    points, _, by_sighting = place_sightings(row[:4], frame, index)
    noise = measurement_noise(frame.sightings)[index]
    new = UnexplainedSightings(
        np.full(len(index), frame.observer),
        points,
        by_sighting @ noise @ by_sighting.transpose(0, 2, 1),
        np.tile(row, (len(index), 1)),
    )
    parameters = frame.mount.sensor_model(parameters)
    rate = state.rates.clutter_per_frame(frame.camera, parameters)
    clutter = clutter_per_volume(rate, frame.sightings, parameters)
    return new, clutter[index]


def place_sightings(
    pose: FloatArray, frame: CameraScan, index: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where sightings are, seen from the observer's pose (4,), with Jacobians.

    The sighting's axes are two directions across the line of sight, in radians, and log range;
    any two will do, since the noise is the same in both.

    Returns:
        points (M, 3), Jacobians (M, 3, 4) by the observer and (M, 3, 3) by the sighting.
    """
    roll, pitch = frame.roll_pitch
    body = Rotation.from_euler('YX', [pitch, roll]).as_matrix()
    optical = frame.sightings.positions[index]
    levelled = (optical @ frame.mount.rotation + frame.mount.translation) @ body.T
    by_observer = np.zeros((len(index), 3, 4))
    by_observer[:, :, :3] = np.eye(3)
    by_observer[:, :, 3] = levelled @ yaw_rotation_derivative(pose[3]).T
    along = optical / np.linalg.norm(optical, axis=1)[:, None]
    axes = np.concatenate([tangent_basis(along), along[:, None]], axis=1).transpose(0, 2, 1)
    axes *= np.linalg.norm(optical, axis=1)[:, None, None]
    to_world = yaw_rotation(pose[3]) @ body @ frame.mount.rotation.T
    return pose[:3] + levelled @ yaw_rotation(pose[3]).T, by_observer, to_world @ axes


def _with_object(state: JointState, frame: CameraScan, sighting: int, birth: Birth) -> JointState:
    """Add an object where a sighting puts it under each hypothesis, tied to its observer."""
    noise = measurement_noise(frame.sightings)[sighting]
    own = slice(4 * frame.observer, 4 * frame.observer + 4)
    hypotheses = []
    for h in state.hypotheses:
        point, by_observer, by_sighting = (
            array[0] for array in place_sightings(h.mean[own], frame, np.array([sighting]))
        )
        cross = by_observer @ h.covariance[own]
        corner = cross[:, own] @ by_observer.T + by_sighting @ noise @ by_sighting.T
        covariance = np.block([[h.covariance, cross.T], [cross, (corner + corner.T) / 2.0]])
        hypotheses.append(
            JointHypothesis(
                h.weight,
                np.concatenate([h.mean, point]),
                covariance,
                np.append(h.existence, BIRTH_EXISTENCE),
            )
        )
    objects: StaticObjects = state.objects
    grown = replace(
        objects,
        hits=np.append(objects.hits, birth.hits),
        looks=np.append(objects.looks, 2.0 * birth.hits),
        looks_since=np.append(objects.looks_since, 0.0),
    )
    return replace(state, hypotheses=tuple(hypotheses), objects=grown)
