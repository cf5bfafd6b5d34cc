"""Predict the scan: what an observer should see under one hypothesis, against what it saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.association.gating import squared_mahalanobis, validation_gate
from mav_perception.localization.association.problem import AssociationProblem
from mav_perception.localization.correlation import Detectability, correlated_noise
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.detection_model import DetectionModel
from mav_perception.localization.measurement.observation import (
    MEASUREMENT_SIZE,
    PredictedSightings,
    innovations,
    measurement_noise,
    predict_sightings,
)
from mav_perception.localization.measurement.visibility import (
    FieldOfView,
    clutter_density,
    view_probability,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, JointState
from mav_perception.types import FloatArray, IntArray

LOG_TWO_PI = float(np.log(2.0 * np.pi))
MIN_PROBABILITY = 1e-9
"""A candidate less likely to be seen takes no sighting; it would only multiply the events."""


@dataclass(frozen=True)
class PredictedScan:
    """What the scan says under one hypothesis about C candidates and m sightings.

    Attributes:
        candidates: (C,) who may be seen: drone indices, then N + object indices.
        view_probability: (C,) probability that each is in view.
        detection_probability: (C,) P_D of each, existence of objects included.
        detectability: of each by the camera, before the scan.
        gated: (T,) positions in `candidates` of those with a sighting in their gate.
        sightings: predicted sightings of the T gated ones.
        innovations: (T, m, 3).
        noise: (T, m, 3, 3) R of the sightings, as far as it is new evidence, with what is not
            linear in the predictions.
        model: P_D of the gated, P_G and clutter density.
        problem: the same as an association problem.
        log_ungated_missed: log weight of the ungated ones being missed.
    """

    candidates: IntArray
    view_probability: FloatArray
    detection_probability: FloatArray
    detectability: Detectability
    gated: IntArray
    sightings: PredictedSightings
    innovations: FloatArray
    noise: FloatArray
    model: DetectionModel
    problem: AssociationProblem
    log_ungated_missed: float

    @property
    def outside_gate(self) -> int:
        """Return how many sightings lie in the gate of no candidate."""
        return int((~self.problem.inside.any(axis=0)).sum())


def candidates_of(state: JointState, observer: int) -> tuple[IntArray, IntArray]:
    """Return (C,) candidates of an observer and where x of each stands in the state vector."""
    seen = state.active.copy()
    seen[observer] = False
    drones = np.flatnonzero(seen)
    objects = np.arange(len(state.objects))
    columns = np.concatenate([4 * drones, 4 * state.drones + 3 * objects])
    return np.concatenate([drones, state.drones + objects]), columns


def predict_scan(
    state: JointState, hypothesis: JointHypothesis, scan: CameraScan, parameters: FilterParameters
) -> PredictedScan:
    """Predict the scan under a hypothesis, and gate its sightings.

    z^_b = h(x_a, x_b), S_b = H_b P H_b' + R; a sighting lies in the gate of candidate b where
    nu' S_b^-1 nu < gamma.

    Args:
        state: joint state at the time of the scan.
        hypothesis: one of its hypotheses.
        scan: the camera scan.
        parameters: of the filter.
    """
    parameters = scan.mount.with_field_of_view(parameters)
    candidates, columns = candidates_of(state, scan.observer)
    predicted = predict_sightings(
        hypothesis.mean, hypothesis.covariance, scan.observer, columns, scan.roll_pitch, scan.mount
    )
    covariance = predicted.predicted_covariance(hypothesis.covariance)
    view = _in_view(predicted, covariance, parameters)
    detectability = predict_detectability(state, hypothesis, scan, candidates, parameters)
    model = _detection_model(state, hypothesis, scan, view * detectability.probability, parameters)
    residual, noise = innovations(predicted, scan.sightings), measurement_noise(scan.sightings)
    squared, log_det = squared_mahalanobis(residual, covariance, noise)
    inside = validation_gate(squared, parameters.gate_probability)
    inside &= model.probability[:, None] > MIN_PROBABILITY
    gated = np.flatnonzero(inside.any(axis=1))
    of_gated = model.of(gated)
    minus_two_log_density = (squared + log_det + MEASUREMENT_SIZE * LOG_TWO_PI)[gated]
    elapsed = state.since_last_scan(scan.camera)
    noise = correlated_noise(noise, elapsed, parameters.error_correlation)
    return PredictedScan(
        candidates=candidates,
        view_probability=view,
        detection_probability=model.probability,
        detectability=detectability,
        gated=gated,
        sightings=predicted.subset(gated),
        innovations=residual[gated],
        noise=noise[None] + predicted.linearisation_covariance[gated][:, None],
        model=of_gated,
        problem=AssociationProblem(
            log_likelihood_ratio=of_gated.log_detection_ratio - 0.5 * minus_two_log_density,
            log_missed=of_gated.log_missed,
            inside=inside[gated],
            candidates=candidates[gated],
            scan_key=scan.sightings.key,
        ),
        log_ungated_missed=float(model.log_missed.sum() - of_gated.log_missed.sum()),
    )


def _in_view(
    predicted: PredictedSightings, covariance: FloatArray, parameters: FilterParameters
) -> FloatArray:
    """Return (C,) how likely each candidate is in view, given the covariances (C, 3, 3)."""
    bearing = (covariance[:, 0, 0] + covariance[:, 1, 1]) / 2.0
    sigmas = (np.sqrt(np.maximum(v, 0.0)) for v in (bearing, covariance[:, 2, 2]))
    return view_probability(predicted.points, FieldOfView.of(parameters), *sigmas)


def predict_detectability(
    state: JointState,
    hypothesis: JointHypothesis,
    scan: CameraScan,
    candidates: IntArray,
    parameters: FilterParameters,
) -> Detectability:
    """Return how likely the camera can detect each of C candidates under a hypothesis."""
    rates, camera, drones = state.rates, scan.camera, state.drones
    overall = np.concatenate(
        [
            np.full(drones, rates.detection_probability(camera, parameters)),
            state.objects.detection_probability,
        ]
    )
    visible = np.concatenate(
        [
            np.full(drones, rates.visible_probability(camera, parameters)),
            state.objects.visible_probability,
        ]
    )
    return Detectability.predicted(
        hypothesis.detectable[camera, candidates],
        visible[candidates],
        overall[candidates],
        state.since_last_scan(camera),
        parameters.detection_correlation,
    )


def _detection_model(
    state: JointState,
    hypothesis: JointHypothesis,
    scan: CameraScan,
    chance: FloatArray,
    parameters: FilterParameters,
) -> DetectionModel:
    """Return P_D of all candidates, existence included, and the clutter density.

    Args:
        state: joint state.
        hypothesis: tells how likely each object exists.
        scan: the camera scan.
        chance: (C,) P_D of those that exist.
        parameters: of the filter.
    """
    exists = np.concatenate([np.ones(len(chance) - len(state.objects)), hypothesis.existence])
    rate = state.rates.clutter_per_frame(scan.camera, parameters)
    clutter = clutter_density(rate, scan.sightings, parameters)
    probability = np.minimum(chance * exists, 0.9999)
    return DetectionModel(probability, parameters.gate_probability, clutter)
