"""Predict the scan: what an observer should see under every hypothesis, against what it saw."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mav_perception.localization.association.gating import innovation_likelihood, validation_gate
from mav_perception.localization.association.problem import AssociationProblem
from mav_perception.localization.correlation import (
    OBJECT_CORRELATION,
    Detectability,
    new_information,
)
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.detection_model import DetectionModel
from mav_perception.localization.measurement.observation import (
    MEASUREMENT_SIZE,
    PredictedSightings,
    innovations,
    measurement_noise,
    predict_sightings,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import JointState
from mav_perception.localization.update.candidates import Candidates, candidates_in_view
from mav_perception.localization.update.predicted_detections import (
    predict_detectability,
    predict_detections,
    view_beyond,
)
from mav_perception.types import BoolArray, FloatArray, IntArray

MIN_PROBABILITY = 1e-9
"""A candidate less likely to be seen takes no sighting; it would only multiply the events."""

NOTHING = 1e-6
"""Share of new information of a sighting that tells nothing of the state."""


@dataclass(frozen=True)
class GatedPairs:
    """The T candidates with a sighting in a gate of theirs, against all m sightings.

    Attributes:
        index: (T,) positions among the candidates of the scan.
        cross_covariance: (K, 3T, n) H P.
        predicted_covariance: (K, 3T, 3T) H P H'.
        innovations: (K, T, m, 3).
        noise: (K, T, m, 3, 3) R of the sightings, with what is not linear in the predictions.
        new_information: (T,) share of what a sighting of each candidate tells that is new.
        model: P_D of the gated, P_G, clutter density and scores.
        problem: the same as an association problem.
    """

    index: IntArray
    cross_covariance: FloatArray
    predicted_covariance: FloatArray
    innovations: FloatArray
    noise: FloatArray
    new_information: FloatArray
    model: DetectionModel
    problem: AssociationProblem


@dataclass(frozen=True)
class PredictedScan:
    """What the scan says under K hypotheses about C candidates and m sightings.

    Attributes:
        candidates: (C,) who may be in view: drone indices, then N + object indices.
        view_probability: (K, C) probability that each is in view, by what misses have left.
        detection_probability: (K, C) P_D of each, existence of objects included.
        denied: (C,) X, part of the pose of each that misses deny if it is missed, by the heaviest
            hypothesis.
        detectability: (K, N + O) of everybody by the camera, before the scan.
        log_clutter: log of the density of the scan if all its sightings are false.
        gated: what the update works on.
    """

    candidates: IntArray
    view_probability: FloatArray
    detection_probability: FloatArray
    denied: FloatArray
    detectability: Detectability
    log_clutter: float
    gated: GatedPairs

    @property
    def outside_gate(self) -> int:
        """Return how many sightings lie in the gate of no candidate, by the first hypothesis."""
        return int((~self.gated.problem.inside[0].any(axis=0)).sum())


def predict_scan(
    state: JointState, scan: CameraScan, parameters: FilterParameters
) -> PredictedScan:
    """Predict the scan under all hypotheses, and gate its sightings.

    S_b = H_b P H_b' + R; a sighting lies in the gate of candidate b where nu' S_b^-1 nu < gamma.

    Args:
        state: joint state at the time of the scan.
        scan: the camera scan.
        parameters: of the filter.
    """
    parameters = scan.mount.with_field_of_view(parameters)
    candidates = candidates_in_view(state, scan, parameters)
    detectability = predict_detectability(state, scan, parameters)
    view, before = view_beyond(state, scan.camera, candidates)
    candidates = replace(candidates, view_probability=view)
    model = predict_detections(state, scan, candidates, detectability, parameters)
    expected = state.rates.clutter_per_frame(scan.camera, parameters)
    return PredictedScan(
        candidates=candidates.index,
        view_probability=candidates.view_probability,
        detection_probability=model.probability,
        denied=before + (1.0 - before) * model.probability[0],
        detectability=detectability,
        log_clutter=float(np.log(model.clutter_density).sum()) - expected,
        gated=_gated_pairs(state, scan, candidates, model, parameters),
    )


def _gated_pairs(
    state: JointState,
    scan: CameraScan,
    candidates: Candidates,
    model: DetectionModel,
    parameters: FilterParameters,
) -> GatedPairs:
    """Predict the measurements of those near a sighting, and put gates about them."""
    near = np.flatnonzero(candidates.near)
    predicted = _predict_near(state, scan, candidates, near, parameters)
    covariance = predicted.predicted_covariance(state.covariances_now)
    residual, noise = innovations(predicted, scan.sightings), measurement_noise(scan.sightings)
    squared, log_density = innovation_likelihood(residual, covariance, noise)
    inside = validation_gate(squared, parameters.gate_probability)
    inside &= model.probability[:, near, None] > MIN_PROBABILITY
    some = np.flatnonzero(inside.any(axis=(0, 2)))
    gated = near[some]
    of_gated = model.of(gated)
    ungated = np.ones(len(candidates.index), bool)
    ungated[gated] = False
    cross, joint = _joint_covariances(predicted, some, state.hypotheses.covariances)
    untold, silent = _untold_noise(predicted, some, state)
    who = candidates.index[gated]
    return GatedPairs(
        index=gated,
        cross_covariance=cross,
        predicted_covariance=joint,
        innovations=residual[:, some],
        noise=noise + (predicted.linearisation_covariance[:, some] + untold)[:, :, None],
        new_information=np.where(silent, NOTHING, _new_information(state, scan, who, parameters)),
        model=of_gated,
        problem=AssociationProblem(
            log_likelihood_ratio=of_gated.log_detection_ratio + log_density[:, some],
            log_missed=of_gated.log_missed,
            inside=inside[:, some],
            log_prior=np.log(state.hypotheses.weights) + model.log_missed[:, ungated].sum(axis=1),
            candidates=who,
            scan_key=scan.sightings.key,
        ),
    )


def _predict_near(
    state: JointState,
    scan: CameraScan,
    candidates: Candidates,
    near: IntArray,
    parameters: FilterParameters,
) -> PredictedSightings:
    """Predict the measurements of candidates `near`; the size of an object is not known."""
    predicted = predict_sightings(
        state.means_now, state.covariances_now, scan.observer,
        candidates.columns[near], scan.roll_pitch, scan.mount,
    )  # fmt: skip
    is_object = candidates.index[near] >= state.drones
    return predicted.with_range_spread(np.where(is_object, parameters.object_size_sigma, 0.0))


def _joint_covariances(
    predicted: PredictedSightings, gated: IntArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return H P (K, 3T, n) and H P H' (K, 3T, 3T) of the gated candidates together."""
    columns, blocks = predicted.columns[gated], predicted.jacobian_blocks[:, gated]
    number, size = len(covariance), MEASUREMENT_SIZE * len(gated)
    # H has seven columns that are not zero: only these rows of P take part.
    cross = (blocks @ covariance[:, columns]).reshape(number, size, covariance.shape[-1])
    joint = cross[:, :, columns].transpose(0, 2, 1, 3) @ np.swapaxes(blocks, -1, -2)
    return cross, joint.transpose(0, 2, 1, 3).reshape(number, size, size)


def _new_information(
    state: JointState, scan: CameraScan, candidates: IntArray, parameters: FilterParameters
) -> FloatArray:
    """Return the (T,) share of what a sighting of each candidate tells that is new."""
    longer = np.where(candidates < state.drones, 1.0, OBJECT_CORRELATION)
    elapsed = state.since_last_seen(scan.camera)[candidates]
    return new_information(elapsed, parameters.error_correlation * longer)


def _untold_noise(
    predicted: PredictedSightings, gated: IntArray, state: JointState
) -> tuple[FloatArray, BoolArray]:
    """Return what untold motion adds to a measurement (K, T, 3, 3), and for whom it does (T,).

    The joint state learns nothing from such a sighting: see `follow_silent`.
    """
    columns, blocks = predicted.columns[gated], predicted.jacobian_blocks[:, gated]
    variance = np.zeros(state.hypotheses.means.shape[1])
    variance[: 4 * state.drones].reshape(-1, 4)[:, :3] = state.untold.variance
    own = variance[columns]
    added = (blocks * own[:, None]) @ np.swapaxes(blocks, -1, -2)
    return np.asarray(added, float), np.asarray(own.any(axis=1))
