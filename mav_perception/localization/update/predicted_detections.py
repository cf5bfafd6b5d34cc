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
"""Seconds after which the edge of the view cuts another part off where a drone may be."""


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


def predict_detections(
    state: JointState,
    scan: CameraScan,
    candidates: Candidates,
    detectability: Detectability,
    parameters: FilterParameters,
) -> tuple[DetectionModel, FloatArray]:
    """Return P_D (K, C) of all candidates, existence included, clutter density and scores.

    A drone at the edge of the view may be just outside, and is so in the next frames too: misses
    in a row tell at most log(1 - v), with v the probability that it is in view. With X the part
    of its pose that misses have denied since it was seen, one more denies P_D of what is in view
    beyond that, X' = X + P_D max(v - X, 0), and its probability was (1 - X') / (1 - X). X fades:
    seconds later the edge lies elsewhere.

    Returns:
        the model, and X' (K, C), zero for static objects.
    """
    existence, who = state.hypotheses.existence, candidates.index
    exists = np.hstack([np.ones((len(existence), state.drones)), existence])[:, who]
    rate = state.rates.clutter_per_frame(scan.camera, parameters)
    clutter = clutter_density(rate, scan.sightings, parameters)
    in_view = np.minimum(detectability.of(who).probability * exists, 0.9999)
    faded = state.denied[scan.camera] * correlation(
        state.since_last_scan(scan.camera), EDGE_CORRELATION
    )
    before = np.append(faded, np.zeros(existence.shape[1]))[who]
    more = in_view * np.maximum(candidates.view_probability - before, 0.0)
    ratio = score_log_ratio(scan.sightings.score, parameters)
    is_drone = (who < state.drones)[:, None]
    model = DetectionModel(
        probability=candidates.view_probability * in_view,
        gate_probability=parameters.gate_probability,
        clutter_density=clutter,
        log_score_ratio=np.where(is_drone, ratio, object_log_ratio(ratio)),
        missed_probability=more / (1.0 - before),
    )
    return model, np.where(who < state.drones, before + more, 0.0)
