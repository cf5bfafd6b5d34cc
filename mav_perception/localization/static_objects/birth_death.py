"""Birth and death of static objects in the joint state.

A sighting that no candidate explains is clutter or the first of an object. It begins a tentative
object at once, with a small probability of existence under each hypothesis (Williams 2015,
'Marginal multi-Bernoulli filters', the birth of the Poisson multi-Bernoulli mixture). What
explains the next sighting at that place, a drone or the object, then has to have explained the
first one as well: were the birth put off until more sightings have come, a drone nearby would
take them all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import measurement_noise
from mav_perception.localization.measurement.score import object_log_ratio, score_log_ratio
from mav_perception.localization.measurement.sighting_positions import sighting_in_map
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.types import NEVER_NS, BoolArray, FloatArray, nanoseconds

MIN_EXISTENCE = 1e-3
"""Existence below which an object is deleted."""

SILENT = 30.0
"""A drone without odometry for longer, seconds, has landed or been switched off."""

MIN_UNEXPLAINED = 0.1
"""Only a sighting that is likelier than this of nobody known may be the first of an object."""


def update_static_objects(
    state: JointState, scan: CameraScan, unexplained: FloatArray, parameters: FilterParameters
) -> JointState:
    """Return the state without vanished objects, and with those that a scan may show first.

    While a drone has no pose, or moves without odometry of late, a sighting of nobody known is
    rather of that drone: nothing begins.

    Args:
        state: after the update with the scan.
        scan: the camera scan.
        unexplained: (K, m) probability under each hypothesis that no candidate gave the sighting.
        parameters: `max_objects`.
    """
    if parameters.max_objects == 0:
        return state
    mean = state.hypotheses.weights @ unexplained
    waiting_ns = np.where(state.silent, state.stamp_ns - state.anchors.stamps, 0)
    gone_on = (waiting_ns > 0) & (waiting_ns < nanoseconds(SILENT))
    complete = (state.active | state.pending).all() and not gone_on.any()
    new = np.flatnonzero(complete & (mean > MIN_UNEXPLAINED))
    gone = _vanished(state, parameters.max_objects - len(new))
    judged = state.objects.judged(state.hypotheses.mean_existence, gone)
    state = _without(replace(state, objects=judged), gone)
    ratio = np.exp(object_log_ratio(score_log_ratio(scan.sightings.score, parameters)))
    share = state.objects.birth_probability
    born = share * ratio / (share * ratio + 1.0 - share)  # given the score, too
    likeliest = new[np.argsort(-mean[new], kind='stable')]
    noise = measurement_noise(scan.sightings)
    noise[:, 2, 2] += parameters.object_size_sigma**2
    for sighting in likeliest[: parameters.max_objects - len(state.objects)].tolist():
        existence = born[sighting] * unexplained[:, sighting]
        state = _with_object(state, scan, sighting, noise[sighting], existence)
        state = replace(state, objects=state.objects.grown(float(mean[sighting])))
    return state


def _vanished(state: JointState, room: int) -> BoolArray:
    """Return (O,) which objects are most likely not there, or the least likely beyond the room."""
    existence = state.hypotheses.mean_existence
    gone = existence < MIN_EXISTENCE
    beyond = np.argsort(-existence, kind='stable')[max(room, 0) :]
    gone[beyond[existence[beyond] < state.objects.birth_probability]] = True
    return gone


def _without(state: JointState, gone: BoolArray) -> JointState:
    if not gone.any():
        return state
    return replace(
        state,
        hypotheses=state.hypotheses.without_objects(gone),
        objects=state.objects.without(gone),
        last_seen_ns=state.last_seen_ns[:, np.append(np.ones(state.drones, bool), ~gone)],
    )


def _with_object(
    state: JointState,
    scan: CameraScan,
    sighting: int,
    noise: FloatArray,
    existence: FloatArray,
) -> JointState:
    """Add an object where a sighting puts it under each hypothesis, tied to its observer.

    Args:
        state: the joint state.
        scan: the camera scan.
        sighting: which of its sightings.
        noise: (3, 3) R of it, with what is not known of the size of objects.
        existence: (K,) probability under each hypothesis that there is an object.
    """
    h = state.hypotheses
    points, cross, corner = sighting_in_map(h.means, h.covariances, scan, sighting, noise)
    detectable = np.full((*h.detectable.shape[:2], 1), np.nan)
    detectable[:, scan.camera] = 1.0  # it was seen just now
    hypotheses = replace(
        h,
        means=np.hstack([h.means, points]),
        covariances=np.block([[h.covariances, np.swapaxes(cross, 1, 2)], [cross, corner]]),
        existence=np.column_stack([h.existence, existence]),
        detectable=np.concatenate([h.detectable, detectable], axis=2),
    )
    seen_ns = np.full((len(state.last_seen_ns), 1), NEVER_NS, np.int64)
    seen_ns[scan.camera] = state.stamp_ns
    return replace(
        state,
        hypotheses=hypotheses,
        last_seen_ns=np.hstack([state.last_seen_ns, seen_ns]),
    )
