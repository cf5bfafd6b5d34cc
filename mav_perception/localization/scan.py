"""One camera frame before association: predictions, innovations, gate and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.association import AssociationProblem
from mav_perception.localization.gating import mahalanobis, validation_gate
from mav_perception.localization.mixture import DetectionModel
from mav_perception.localization.observation import (
    CameraMount,
    clutter_density,
    detection_probability,
    innovations,
    measurement_noise,
    predict_sightings,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.types import FloatArray, IntArray, Sightings, TeamState


@dataclass(frozen=True)
class Scan:
    """All that one frame says about T candidates and m sightings.

    Attributes:
        candidates: (T,) drone indices.
        jacobians: (T, 3, 4N).
        innovations: (T, m, 3).
        noise: (m, 3, 3).
        model: P_D of every candidate, P_G and clutter density.
        problem: the same as an association problem.
    """

    candidates: IntArray
    jacobians: FloatArray
    innovations: FloatArray
    noise: FloatArray
    model: DetectionModel
    problem: AssociationProblem

    @property
    def outside_gate(self) -> int:
        """Return how many sightings lie in the gate of no candidate."""
        return int((~self.problem.inside.any(axis=0)).sum())


def scan_frame(
    state: TeamState,
    sightings: Sightings,
    observer: int,
    roll_pitch: FloatArray,
    mount: CameraMount,
    parameters: FilterParameters,
    labels: IntArray | None = None,
) -> Scan:
    """Predict what the observer should see, and hold its sightings against it.

    Args:
        state: joint state at the time of the frame.
        sightings: what was seen.
        observer: index of the drone with the camera.
        roll_pitch: (2,) its attitude from VIO, radians.
        mount: where its camera sits.
        parameters: sensor model.
        labels: (m,) true identities for the labelled rival.
    """
    predicted = predict_sightings(state, observer, roll_pitch, mount)
    jacobians = predicted.jacobians
    spread = jacobians @ state.covariance @ jacobians.transpose(0, 2, 1)
    model = DetectionModel(
        detection_probability(predicted, spread, parameters),
        parameters.gate_probability,
        clutter_density(parameters),
    )
    residual, noise = innovations(predicted, sightings), measurement_noise(sightings)
    distance, log_det = mahalanobis(residual, spread, noise)
    likelihood = model.log_detected[:, None] - 0.5 * (
        distance + log_det + residual.shape[-1] * np.log(2.0 * np.pi)
    )
    problem = AssociationProblem(
        likelihood,
        model.log_missed,
        validation_gate(distance, parameters.gate_probability),
        predicted.candidates,
        labels,
    )
    return Scan(predicted.candidates, jacobians, residual, noise, model, problem)
