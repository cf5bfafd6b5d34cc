"""One camera frame before association: predictions, innovations, gate and weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from mav_perception.localization.association.events import AssociationProblem
from mav_perception.localization.association.gating import mahalanobis, validation_gate
from mav_perception.localization.measurement.observation import (
    CameraMount,
    PredictedSightings,
    innovations,
    measurement_noise,
    predict_sightings,
    slowly_changing,
)
from mav_perception.localization.measurement.visibility import clutter_density, view_probability
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointHypothesis, JointState
from mav_perception.localization.update.event_updates import DetectionModel
from mav_perception.types import FloatArray, IntArray, Sightings, seconds


@dataclass(frozen=True)
class CameraScan:
    """One camera frame and all that it is held against.

    Attributes:
        sightings: what was seen.
        observer: index of the drone with the camera.
        roll_pitch: (2,) its attitude from VIO, radians.
        mount: where its camera sits.
        camera: index of the camera among all of the team.
        labels: (m,) true identities for the labelled rival.
    """

    sightings: Sightings
    observer: int
    roll_pitch: FloatArray
    mount: CameraMount
    camera: int
    labels: IntArray | None = None

    @property
    def body_to_optical(self) -> FloatArray:
        """Return the rotation (3, 3) from the levelled body to the optical frame."""
        roll, pitch = self.roll_pitch
        levelled = Rotation.from_euler('YX', [pitch, roll]).as_matrix()
        return self.mount.rotation @ levelled.T


@dataclass(frozen=True)
class PredictedScan:
    """What the frame says under one hypothesis about C candidates and m sightings.

    Attributes:
        candidates: (C,) who may be seen: drone indices, then N + object indices.
        view: (C,) probability that each is in view.
        probability: (C,) P_D of each, existence of objects included.
        gated: (T,) positions in `candidates` of those with a sighting in their gate.
        predicted: predictions of the T gated ones.
        innovations: (T, m, 3).
        noise: (T, m, 3, 3) of the sightings, with what is not linear in the predictions.
        model: P_D of the gated, P_G and clutter density.
        problem: the same as an association problem.
        log_idle: log weight of the ungated ones being missed.
    """

    candidates: IntArray
    view: FloatArray
    probability: FloatArray
    gated: IntArray
    predicted: PredictedSightings
    innovations: FloatArray
    noise: FloatArray
    model: DetectionModel
    problem: AssociationProblem
    log_idle: float

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
    state: JointState, hypothesis: JointHypothesis, frame: CameraScan, parameters: FilterParameters
) -> PredictedScan:
    """Predict what the observer should see under a hypothesis, and hold its sightings against it.

    Args:
        state: joint state at the time of the frame.
        hypothesis: one of its hypotheses.
        frame: the camera frame.
        parameters: sensor model.
    """
    observer, sightings = frame.observer, frame.sightings
    parameters = frame.mount.sensor_model(parameters)
    candidates, columns = candidates_of(state, observer)
    predicted = predict_sightings(
        hypothesis.mean, hypothesis.covariance, observer, columns, frame.roll_pitch, frame.mount
    )
    spread = predicted.spread(hypothesis.covariance)
    view = view_probability(predicted, spread, parameters)
    chance = np.full(len(candidates), state.rates.detection_probability(frame.camera, parameters))
    is_object = candidates >= state.drones
    chance[is_object] = hypothesis.existence * state.objects.detection_probability
    probability = np.minimum(view * chance, 0.9999)
    clutter = clutter_density(
        state.rates.clutter_per_frame(frame.camera, parameters), sightings, parameters
    )
    residual, noise = innovations(predicted, sightings), measurement_noise(sightings)
    distance, log_det = mahalanobis(residual, spread, noise)
    inside = validation_gate(distance, parameters.gate_probability)
    # A candidate that cannot be in view takes no sighting; it would only multiply the events.
    inside &= probability[:, None] > 1e-9
    gated = np.flatnonzero(inside.any(axis=1))
    everybody = DetectionModel(probability, parameters.gate_probability, clutter)
    model = DetectionModel(probability[gated], parameters.gate_probability, clutter)
    likelihood = model.log_detected - 0.5 * (
        distance[gated] + log_det[gated] + residual.shape[-1] * np.log(2.0 * np.pi)
    )
    problem = AssociationProblem(
        likelihood, model.log_missed, inside[gated], candidates[gated], frame.labels
    )
    since = seconds(state.stamp_ns) - float(state.objects.last_frame[frame.camera])
    noise = slowly_changing(noise, since, parameters.error_correlation)
    return PredictedScan(
        candidates,
        view,
        probability,
        gated,
        predicted.subset(gated),
        residual[gated],
        noise[None] + predicted.curvature[gated][:, None],
        model,
        problem,
        float(everybody.log_missed.sum() - model.log_missed.sum()),
    )
