"""Birth and death of static objects in the joint state.

A sighting that nothing explains is remembered; when enough of them agree over time, an object is
born. It is deleted when it should be seen and is not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import measurement_noise
from mav_perception.localization.measurement.sighting_positions import sighting_positions
from mav_perception.localization.measurement.visibility import clutter_per_volume
from mav_perception.localization.odometry.process_noise import process_noise
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.static_objects.static_objects import (
    StaticObjects,
    UnexplainedSightings,
)
from mav_perception.types import BoolArray, FloatArray, IntArray, seconds

MIN_EXISTENCE = 1e-6
"""Existence below which an object is deleted; small, as in Bernoulli filters. One that is deleted
while hidden leaves its next sightings to a drone nearby, one that is gone only takes up room."""

MIN_SPAN = 0.3
"""Sightings of a static object agree over at least so many seconds. It must be born before its
sightings, taken for a drone, have ruled out that they are none; a drone that was taken for an
object moves on and the object is forgotten."""

MIN_SIGHTINGS = 3
BIRTH_LOG_ODDS = 6.0
"""How much likelier than clutter an object must be to be born: many positions are tested."""

SQUARED_GATE = 11.3
"""Squared Mahalanobis distance within which two sightings agree: chi-square, 3 axes, 99 %."""

UNEXPLAINED = 0.5
"""A sighting that candidates explain less than this may show a static object."""

BIRTH_EXISTENCE = 0.9


def update_static_objects(
    state: JointState, scan: CameraScan, unexplained: FloatArray, parameters: FilterParameters
) -> JointState:
    """Return the state without vanished objects and with those that sightings agree on.

    Args:
        state: after the update with the scan.
        scan: the camera scan.
        unexplained: (m,) probability that no candidate gave the sighting.
        parameters: of the filter.
    """
    if parameters.max_objects == 0:
        return state
    state = _without_vanished(state)
    index = np.flatnonzero(unexplained > UNEXPLAINED)
    if not len(index):
        return state
    new, clutter = _in_odometry_frame(state, scan, index, parameters)
    objects, births = remember(state.objects, new, clutter, parameters)
    state = replace(state, objects=objects)
    for birth in births:
        state = _with_object(state, scan, int(index[birth.sighting]), birth)
    return state


def _without_vanished(state: JointState) -> JointState:
    if not len(state.objects):
        return state
    weights = np.array([h.weight for h in state.hypotheses])
    existence = weights @ np.array([h.existence for h in state.hypotheses])
    gone = existence < MIN_EXISTENCE
    if not gone.any():
        return state
    stays = np.concatenate([np.ones(4 * state.drones, bool), np.repeat(~gone, 3)])
    known = np.concatenate([np.ones(state.drones, bool), ~gone])
    hypotheses = tuple(
        replace(
            h,
            mean=h.mean[stays],
            covariance=h.covariance[np.ix_(stays, stays)],
            existence=h.existence[~gone],
            detectable=h.detectable[:, known],
        )
        for h in state.hypotheses
    )
    return replace(state, hypotheses=hypotheses, objects=state.objects.without(gone))


def _in_odometry_frame(
    state: JointState, scan: CameraScan, index: IntArray, parameters: FilterParameters
) -> tuple[UnexplainedSightings, FloatArray]:
    """Return sightings in the observer's odometry frame, and the clutter there, per m^3."""
    row = state.anchors[scan.observer]
    points, _, by_sighting = sighting_positions(row.pose, scan, index)
    noise = measurement_noise(scan.sightings)[index]
    new = UnexplainedSightings(
        np.full(len(index), scan.observer),
        points,
        by_sighting @ noise @ by_sighting.transpose(0, 2, 1),
        row.repeated(len(index)),
    )
    parameters = scan.mount.with_field_of_view(parameters)
    rate = state.rates.clutter_per_frame(scan.camera, parameters)
    clutter = clutter_per_volume(rate, scan.sightings, parameters)
    return new, clutter[index]


def _with_object(state: JointState, scan: CameraScan, sighting: int, birth: Birth) -> JointState:
    """Add an object where a sighting puts it under each hypothesis, tied to its observer."""
    noise = measurement_noise(scan.sightings)[sighting]
    own = slice(4 * scan.observer, 4 * scan.observer + 4)
    hypotheses = []
    for h in state.hypotheses:
        point, by_observer, by_sighting = (
            array[0] for array in sighting_positions(h.mean[own], scan, np.array([sighting]))
        )
        cross = by_observer @ h.covariance[own]
        corner = cross[:, own] @ by_observer.T + by_sighting @ noise @ by_sighting.T
        covariance = np.block([[h.covariance, cross.T], [cross, (corner + corner.T) / 2.0]])
        detectable = np.full((len(h.detectable), 1), np.nan)
        detectable[scan.camera] = 1.0  # it was seen just now
        hypotheses.append(
            replace(
                h,
                mean=np.concatenate([h.mean, point]),
                covariance=covariance,
                existence=np.append(h.existence, BIRTH_EXISTENCE),
                detectable=np.hstack([h.detectable, detectable]),
            )
        )
    objects = state.objects.grown(birth.hits, scan.camera)
    return replace(state, hypotheses=tuple(hypotheses), objects=objects)


@dataclass(frozen=True)
class Birth:
    """A static object to be added.

    Attributes:
        sighting: which of the new unexplained sightings shows it.
        hits: number of sightings that agree on it.
    """

    sighting: int
    hits: float


def remember(
    objects: StaticObjects,
    new: UnexplainedSightings,
    clutter: FloatArray,
    parameters: FilterParameters,
) -> tuple[StaticObjects, tuple[Birth, ...]]:
    """Remember the unexplained sightings of one frame, and find those that make an object.

    Args:
        objects: what is known so far.
        new: unexplained sightings of this scan.
        clutter: (M,) density of false sightings at each of them, per cubic metre.
        parameters: `object_memory` and `max_objects`.
    """
    if not len(new.observers):
        return objects, ()
    age = (new.rows[0] - objects.memory.rows).elapsed
    memory = objects.memory.kept(age < parameters.object_memory)
    births: list[Birth] = []
    fresh = np.ones(len(new.observers), bool)
    for index in range(len(fresh)):
        agree = _agreeing(memory, new.kept(slice(index, index + 1)), clutter[index], parameters)
        if agree is None or len(objects) + len(births) >= parameters.max_objects:
            continue
        births.append(Birth(index, float(agree.sum() + 1)))
        memory = memory.kept(~agree)
        fresh[index] = False
    return replace(objects, memory=memory.joined(new.kept(fresh))), tuple(births)


def _agreeing(
    memory: UnexplainedSightings,
    new: UnexplainedSightings,
    clutter: float,
    parameters: FilterParameters,
) -> BoolArray | None:
    """Return which remembered sightings show the same object as a new one, or None.

    With n sightings that agree, the log odds of an object against clutter of density c are
    sum_j log(P N(d_j; 0, C + C_j + drift) / c) - n, with P the share of the observer's frames with
    something unexplained that show it.
    """
    drift = process_noise(new.rows - memory.rows, parameters)
    delta = memory.positions - new.positions
    covariance = memory.covariances + new.covariances
    # A turn of the odometry swings the old sightings about the observer.
    reach = np.sum((memory.positions - memory.rows.position) ** 2, axis=1)
    covariance[:, np.arange(3), np.arange(3)] += (
        drift[:, :3] + (drift[:, 3] * reach)[:, None] / 2.0
    )
    squared_radius = SQUARED_GATE * np.trace(covariance, axis1=1, axis2=2)
    near = (memory.observers == new.observers[0]) & (np.sum(delta**2, axis=1) < squared_radius)
    index = np.flatnonzero(near)
    solved = np.linalg.solve(covariance[index], delta[index, :, None])[..., 0]
    squared = np.sum(delta[index] * solved, axis=1)
    inside = squared < SQUARED_GATE
    index, squared = index[inside], squared[inside]
    stamps = memory.rows.stamps[index]
    hits = len(np.unique(stamps))
    if hits < MIN_SIGHTINGS - 1:
        return None
    if seconds(new.rows.stamps[0] - stamps.min()) < MIN_SPAN:
        return None
    opportunities = memory.rows.stamps[memory.observers == new.observers[0]]
    rate = hits / len(np.unique(opportunities[opportunities >= stamps.min()]))
    log_det = np.linalg.slogdet(2.0 * np.pi * covariance[index])[1]
    log_odds = np.log(rate / clutter) - 0.5 * (squared + log_det) - 1.0
    if log_odds.sum() < BIRTH_LOG_ODDS:
        return None
    agree = np.zeros(len(memory.observers), bool)
    agree[index] = True
    return agree
