"""How likely a camera sees each candidate, and what a miss says."""

from __future__ import annotations

import numpy as np

from mav_perception.localization.correlation import Detectability, correlation
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.detection_model import DetectionModel
from mav_perception.localization.measurement.score import object_log_ratio, score_log_ratio
from mav_perception.localization.measurement.visibility import clutter_density
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.update.candidates import Candidates
from mav_perception.types import FloatArray

EDGE_CORRELATION = 3.0
"""Correlation time of which part of a pose lies beyond the edge of the view, seconds."""

MIN_IN_VIEW_SHARE = 0.05
"""Misses never lower the probability of view below this share of it: who comes in must be seen."""


def predict_detectability(
    state: JointState, scan: CameraScan, parameters: FilterParameters
) -> Detectability:
    """Return how likely the camera can detect each of the N + O under each hypothesis."""
    rates, objects, camera = state.rates, state.objects, scan.camera
    overall = np.full(state.drones, rates.detection_probability(camera, parameters))
    visible = np.full(state.drones, rates.visible_probability(camera, parameters))
    return Detectability.predicted(
        state.hypotheses.detectable[:, camera],
        np.append(visible, objects.visible_probability),
        np.append(overall, objects.detection_probability),
        state.since_last_scan(camera),
        parameters.detection_correlation,
    )


def view_beyond(
    state: JointState, camera: int, candidates: Candidates
) -> tuple[FloatArray, FloatArray]:
    """Return the probability (K, C) that each candidate is in view, and X (C,).

    A drone at the edge of the view may be just outside, and is so in the next frames too. With X
    the part of its pose that misses of the camera have denied since it was seen, which fades since
    seconds later the edge lies elsewhere, it is in view with

        v' = max((v - X) / (1 - X), 0.05 v)

    so that misses in a row tell hardly more than log(1 - v). Static objects have no X.
    """
    faded = state.denied[camera] * correlation(state.since_last_scan(camera), EDGE_CORRELATION)
    before = np.append(faded, np.zeros(len(state.objects)))[candidates.index]
    view = candidates.view_probability
    return np.maximum((view - before) / (1.0 - before), MIN_IN_VIEW_SHARE * view), before


def predict_detections(
    state: JointState,
    scan: CameraScan,
    candidates: Candidates,
    detectability: Detectability,
    parameters: FilterParameters,
) -> DetectionModel:
    """Return P_D (K, C) of all candidates, existence included, clutter density and scores."""
    existence, who = state.hypotheses.existence, candidates.index
    exists = np.hstack([np.ones((len(existence), state.drones)), existence])[:, who]
    rate = state.rates.clutter_per_frame(scan.camera, parameters)
    clutter = clutter_density(rate, scan.sightings, parameters)
    chance = candidates.view_probability * detectability.of(who).probability * exists
    ratio = score_log_ratio(scan.sightings.score, parameters)
    is_drone = (who < state.drones)[:, None]
    return DetectionModel(
        probability=np.minimum(chance, 0.9999),
        gate_probability=parameters.gate_probability,
        clutter_density=clutter,
        log_score_ratio=np.where(is_drone, ratio, object_log_ratio(ratio)),
    )
